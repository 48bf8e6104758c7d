// The loupe: the photograph beside the result, the same place at the same scale, so that a label can be read in both.

const LOUPE_SCALE = 3; // pixels of the screen for one of the result
const LOUPE_STEP = 24; // pixels of the result that a key moves it by

class Loupe {
  constructor(stage) {
    this.stage = stage;
    this.root = byId("loupe");
    this.shown = false;
    stage.root.addEventListener("pointermove", (event) => {
      if (this.shown && !stage.pinch) this.look(stage.pointOf(event));
    });
  }

  // `first`: the corners of the photograph are known in the first result alone.
  show(pair, first = true) {
    const { product, result } = pair.pictures;
    this.possible = Boolean(first && pair.corners && product && result);
    this.pair = pair;
    if (this.possible) {
      this.windows = [this.window("Photograph", product), this.window("Result", result)];
      this.root.replaceChildren(...this.windows.map(({ frame }) => frame));
      const [[x0, y0], [x1, y1], [x2, y2]] = pair.corners;
      this.point = [(x1 + x2) / 2, (y1 + y2) / 2];
    }
    this.toggle(this.shown);
  }

  window(title, picture) {
    const image = element("img");
    Object.assign(image, { src: picture.full ?? picture.preview, alt: `${title}, enlarged`, draggable: false });
    return { image, picture, frame: element("figure", "", element("span", "loupe-frame", image), element("figcaption", "", title)) };
  }

  toggle(shown) {
    this.shown = shown;
    this.root.hidden = !(shown && this.possible);
    if (!this.root.hidden) this.look(this.point);
  }

  move(dx, dy) {
    const [width, height] = this.pair.pictures.result.size;
    this.look([this.point[0] + (dx * LOUPE_STEP) / width, this.point[1] + (dy * LOUPE_STEP) / height]);
  }

  // `point`: shares of the result that come to the middle of both windows.
  look(point) {
    this.point = point.map((share) => Math.min(Math.max(share, 0), 1));
    this.root.classList.toggle("is-left", this.point[0] > 0.5); // beside what is looked at
    const scale = LOUPE_SCALE / window.devicePixelRatio;
    const [width, height] = this.pair.pictures.result.size.map((side) => side * scale);
    const [photograph, result] = this.windows;
    const half = photograph.frame.querySelector(".loupe-frame").clientWidth / 2;
    const [left, top] = [half - this.point[0] * width, half - this.point[1] * height];
    result.image.style.width = `${width}px`;
    result.image.style.height = `${height}px`;
    result.image.style.transform = `translate(${left}px, ${top}px)`;
    const [w, h] = photograph.picture.size;
    const [[x0, y0], [x1, y1], [x2, y2]] = this.pair.corners.map(([x, y]) => [x * width, y * height]);
    photograph.image.style.width = `${w}px`;
    photograph.image.style.height = `${h}px`;
    photograph.image.style.transform =
      `matrix(${(x1 - x0) / w}, ${(y1 - y0) / w}, ${(x2 - x0) / h}, ${(y2 - y0) / h}, ${x0 + left}, ${y0 + top})`;
  }
}
