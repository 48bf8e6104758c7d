// Where the product is to stand when it is made again: a box drawn on the scene, or typed as four shares of it.

const ONLY = "product"; // whose box it is where a pair has one product
const LEAST = 0.01; // share of the scene's sides: less is a click, and no box
const DIGITS = 4; // of a share: a tenth of a pixel in a picture of 1,000

class Place {
  constructor(changed) {
    this.changed = changed;
    this.root = byId("redo-place");
    this.picture = byId("redo-picture");
    this.field = byId("redo-box");
    this.whose = byId("redo-whose");
    this.boxes = {};
    this.field.addEventListener("input", () => this.type());
    this.whose.addEventListener("change", () => this.show());
    byId("redo-box-clear").addEventListener("click", () => this.set(null));
    this.picture.addEventListener("pointerdown", (event) => this.start(event));
    this.picture.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.picture.addEventListener(name, () => { this.from = null; });
  }

  // A scene that is made from words is another one the next time: nothing is drawn on it.
  open(pair) {
    const scene = pair.pictures.scene;
    this.boxes = {};
    this.from = null;
    this.root.hidden = !scene || pair.attempts.some(({ purpose }) => purpose === "scene");
    if (this.root.hidden) return;
    const image = element("img");
    Object.assign(image, { src: scene.preview, alt: "The scene, without the product", draggable: false });
    [image.width, image.height] = scene.size;
    this.drawn = element("span", "drawn");
    this.picture.replaceChildren(image, outlineMap(pair.asked_place?.scene, [1000, 1000]) ?? "", this.drawn);
    const names = pair.products.map(({ name }) => name);
    byId("redo-whose-row").hidden = names.length === 0;
    this.whose.replaceChildren(...(names.length ? names : [ONLY]).map((name) => Object.assign(element("option", "", name), { value: name })));
    this.show();
  }

  show() {
    const box = this.boxes[this.whose.value];
    this.field.value = box ? box.join(" ") : "";
    this.field.setCustomValidity("");
    this.outline(box);
  }

  outline(box) {
    this.drawn.hidden = !box;
    byId("redo-box-clear").disabled = !box;
    ["left", "top", "width", "height"].forEach((side, index) => { this.drawn.style[side] = box ? `${100 * box[index]}%` : ""; });
  }

  set(box) {
    if (box) this.boxes[this.whose.value] = box;
    else delete this.boxes[this.whose.value];
    this.show();
    this.changed();
  }

  type() {
    const text = this.field.value.trim();
    const box = text.split(/[\s,;]+/).map(Number);
    const [x, y, width, height] = box;
    const inside = box.length === 4 && box.every((share) => share >= 0) && width > 0 && height > 0 && x + width <= 1 && y + height <= 1;
    this.field.setCustomValidity(text && !inside ? "Four shares of the scene, such as 0.4 0.35 0.12 0.4: x, y, width, height" : "");
    if (inside) this.boxes[this.whose.value] = box;
    else delete this.boxes[this.whose.value];
    this.outline(this.boxes[this.whose.value]);
  }

  start(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.picture.setPointerCapture(event.pointerId);
    this.from = this.at(event);
  }

  drag(event) {
    if (!this.from) return;
    const to = this.at(event);
    const near = this.from.map((share, index) => Math.min(share, to[index]));
    const size = this.from.map((share, index) => Math.abs(share - to[index]));
    // Rounded corners, so that the box ends inside of the scene.
    const corner = near.map(rounded);
    const sides = near.map((share, index) => rounded(rounded(share + size[index]) - corner[index]));
    if (Math.min(...size) >= LEAST) this.set([...corner, ...sides]);
  }

  at(event) {
    const { left, top, width, height } = this.picture.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height].map((share) => Math.min(Math.max(share, 0), 1));
  }
}

const rounded = (share) => Number(share.toFixed(DIGITS));
