// The picture itself: scene over result, cut at the slider; fitted, or at 100 % and moved by dragging.
// All layers share one rectangle, so the cut and the tint stay in place at any zoom.

class Stage {
  constructor() {
    this.root = byId("stage");
    this.layers = byId("layers");
    this.slider = byId("slider");
    this.line = byId("line");
    this.zoomed = false;
    this.changeShown = false;
    this.pair = null;
    this.slider.addEventListener("input", () => this.cut());
    this.root.addEventListener("dblclick", (event) => this.zoom(!this.zoomed, this.pointOf(event)));
    this.root.addEventListener("pointerdown", (event) => this.startPan(event));
    this.root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.layout()).observe(this.root);
  }

  show(pair) {
    this.pair = pair;
    const { scene, result, change } = pair.pictures;
    this.main = result ?? scene;
    this.size = this.main?.size ?? [4, 3];
    this.after = result ? this.addable(result, "after", `Result of ${pair.name}`) : null;
    this.before = scene ? this.addable(scene, "before", `Scene of ${pair.name}, without the product`) : null;
    this.change = change ? this.image(change, "change", "What changed, tinted") : null;
    this.layers.replaceChildren(...[this.after, this.before, this.change].filter(Boolean));
    this.compares = Boolean(result && scene);
    this.slider.hidden = this.line.hidden = byId("tags").hidden = !this.compares;
    this.slider.value = pair.box ? startCut(pair.box) : 50;
    this.showChange(this.changeShown);
    this.zoom(this.zoomed);
  }

  addable(picture, className, alt) {
    const image = this.image(this.zoomed ? picture.full ?? picture.preview : picture.preview, className, alt);
    image.picture = picture;
    return image;
  }

  image(source, className, alt) {
    const image = element("img", className);
    image.alt = alt;
    image.draggable = false;
    image.decoding = "async";
    image.src = source;
    return image;
  }

  showChange(shown) {
    this.changeShown = shown;
    if (this.change) this.change.hidden = !shown;
  }

  // `point`: shares of the picture that should come to the middle.
  zoom(zoomed, point = this.pair.focus) {
    this.zoomed = zoomed;
    this.root.classList.toggle("is-zoomed", zoomed);
    for (const image of [this.after, this.before]) {
      if (zoomed && image?.picture.full && image.getAttribute("src") !== image.picture.full) image.src = image.picture.full;
    }
    this.centre = point;
    this.layout();
    this.onZoom?.(zoomed);
  }

  layout() {
    const { width, height } = this.root.getBoundingClientRect();
    if (!this.pair || !width) return;
    const [w, h] = this.size;
    const pixel = 1 / window.devicePixelRatio; // one picture pixel on one pixel of the screen
    const scale = this.zoomed ? pixel : Math.min(width / w, height / h, 2);
    this.box = { width: w * scale, height: h * scale };
    const place = (room, length, share) => {
      const free = room - length;
      const at = free >= 0 ? free / 2 : Math.min(0, Math.max(free, room / 2 - share * length));
      return Math.round(at / pixel) * pixel;
    };
    this.box.left = place(width, this.box.width, this.zoomed ? this.centre[0] : 0.5);
    this.box.top = place(height, this.box.height, this.zoomed ? this.centre[1] : 0.5);
    for (const image of this.layers.children) {
      image.style.width = `${this.box.width}px`;
      image.style.height = `${this.box.height}px`;
      image.style.transform = `translate(${this.box.left}px, ${this.box.top}px)`;
    }
    const left = Math.max(0, this.box.left);
    const top = Math.max(0, this.box.top);
    this.seen = {
      left, top,
      width: Math.min(width, this.box.left + this.box.width) - left,
      height: Math.min(height, this.box.top + this.box.height) - top,
    };
    for (const [name, value] of Object.entries(this.seen)) this.root.style.setProperty(`--seen-${name}`, `${value}px`);
    this.cut();
  }

  cut() {
    const share = Number(this.slider.value);
    const at = this.seen.left + (this.seen.width * share) / 100;
    this.root.style.setProperty("--cut", `${at}px`);
    if (this.before) {
      const hidden = this.compares ? Math.max(0, this.box.left + this.box.width - at) : 0;
      this.before.style.clipPath = `inset(0 ${hidden}px 0 0)`;
    }
    byId("tag-before").classList.toggle("is-gone", share < 12);
    byId("tag-after").classList.toggle("is-gone", share > 88);
    this.slider.setAttribute("aria-valuetext", `${Math.round(share)} % scene, ${Math.round(100 - share)} % result`);
  }

  pointOf(event) {
    const { left, top } = this.root.getBoundingClientRect();
    return [
      (event.clientX - left - this.box.left) / this.box.width,
      (event.clientY - top - this.box.top) / this.box.height,
    ];
  }

  pan(dx, dy) {
    const { width, height } = this.root.getBoundingClientRect();
    this.centre = [
      (width / 2 - this.box.left - dx) / this.box.width,
      (height / 2 - this.box.top - dy) / this.box.height,
    ];
    this.layout();
  }

  startPan(event) {
    if (!this.zoomed || event.target === this.slider || event.button !== 0) return;
    event.preventDefault();
    this.root.setPointerCapture(event.pointerId);
    this.root.classList.add("is-moving");
    let [x, y] = [event.clientX, event.clientY];
    const move = (moved) => {
      this.pan(moved.clientX - x, moved.clientY - y);
      [x, y] = [moved.clientX, moved.clientY];
    };
    const end = () => {
      this.root.classList.remove("is-moving");
      this.root.removeEventListener("pointermove", move);
    };
    this.root.addEventListener("pointermove", move);
    this.root.addEventListener("lostpointercapture", end, { once: true });
  }

  wheel(event) {
    if (!this.zoomed || event.ctrlKey) return;
    event.preventDefault();
    this.pan(-event.deltaX, -event.deltaY);
  }
}

// The cut starts left of the product, so that the first look shows the whole of it.
function startCut([left]) {
  return Math.min(Math.max(left * 100 - 3, 8), 50);
}
