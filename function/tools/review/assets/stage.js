// The picture itself: scene over result, cut at the slider; fitted, or enlarged up to 400 % and moved by dragging.
// All layers share one rectangle, so the cut and the tint stay in place at any zoom.

const MAX_ZOOM = 4; // pixels of the screen for one of the picture
const ZOOM_STEP = 1.4; // of a key or a button
const WHEEL_ZOOM = 0.0016, PINCH_ZOOM = 0.01; // natural logarithm of the scale, for a pixel of the wheel's way
const LINE_PX = 18; // of a wheel that counts lines
const BLINK_MS = 700; // slow enough for everyone (WCAG 2.3.1: three a second are the most)

class Stage {
  constructor() {
    this.root = byId("stage");
    this.layers = byId("layers");
    this.slider = byId("slider");
    this.line = byId("line");
    this.scale = null; // pixels of the screen for one of the picture; null: all of it is seen
    this.blinks = false;
    this.changeShown = false;
    this.pair = null;
    this.slider.addEventListener("input", () => this.cut());
    this.root.addEventListener("dblclick", (event) => this.zoom(!this.zoomed, this.pointOf(event)));
    this.root.addEventListener("pointerdown", (event) => this.startPan(event));
    this.root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.root.addEventListener("touchstart", (event) => this.startPinch(event), { passive: false });
    this.root.addEventListener("touchmove", (event) => this.movePinch(event), { passive: false });
    for (const name of ["touchend", "touchcancel"]) this.root.addEventListener(name, () => { this.pinch = null; });
    new ResizeObserver(() => this.layout()).observe(this.root);
  }

  get zoomed() {
    return this.scale !== null;
  }

  // One of the pair's results. What is known of the scene (its picture, changes, boxes) lies under or over the part of
  // it that the result shows.
  show(pair, shown) {
    this.blink(false);
    this.pair = pair;
    const { change } = pair.pictures;
    const result = shown.picture;
    const scene = shown.compares || !result ? pair.pictures.scene : null;
    const compares = shown.compares && Boolean(result);
    this.part = (compares && shown.shown) || [0, 0, 1, 1];
    this.main = result ?? scene;
    this.size = this.main?.size ?? [4, 3];
    this.after = result ? this.addable(result, "after", `Result of ${pair.name}`) : null;
    this.before = scene ? this.addable(scene, "before", `Scene of ${pair.name}, without the product`) : null;
    this.change = change && compares ? this.image(change, "change", "What changed, tinted") : null;
    this.undone = pair.undone.length && scene && compares ? boxMap("undone", "undone", pair.undone) : null;
    const differs = pair.identity?.changed ?? [];
    this.differs = differs.length && compares ? boxMap("differs", "not the photograph", differs) : null;
    this.asked = compares || !result ? outlineMap(pair.asked_place?.scene, [1000, 1000]) : null;
    this.layers.replaceChildren(...[this.after, this.before, this.change, this.undone, this.differs, this.asked].filter(Boolean));
    this.compares = Boolean(result && scene);
    this.slider.hidden = this.line.hidden = byId("tags").hidden = !this.compares;
    this.slider.value = pair.box && this.compares ? startCut(inPart(pair.box, this.part)) : 50;
    this.focus = inPart(pair.focus, this.part);
    this.showChange(this.changeShown);
    this.zoomTo(this.scale, this.focus);
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
    for (const layer of [this.change, this.undone, this.differs, this.asked]) layer?.toggleAttribute("hidden", !shown);
  }

  // Scene and result in turn, at the same place; where less motion is asked for, one look at a time.
  blink(on) {
    clearInterval(this.timer);
    this.blinks = on && this.compares;
    this.root.classList.toggle("is-blinking", this.blinks);
    this.seesScene = this.blinks;
    if (this.blinks && !window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.timer = setInterval(() => { this.seesScene = !this.seesScene; this.cut(); }, BLINK_MS);
    }
    if (this.box) this.cut();
  }

  // 100 %, or all of it. `point`: shares of the picture that should come to the middle.
  zoom(zoomed, point = this.focus) {
    this.zoomTo(zoomed ? 1 : null, point);
  }

  zoomTo(scale, point = this.centre ?? this.focus) {
    this.scale = scale;
    this.root.classList.toggle("is-zoomed", this.zoomed);
    this.root.classList.toggle("is-pixels", scale > 2);
    for (const image of [this.after, this.before]) {
      const full = image?.picture.full;
      if (this.zoomed && full && image.getAttribute("src") !== full) image.src = full;
    }
    this.centre = point;
    this.layout();
    this.onZoom?.();
  }

  // Larger or smaller by `factor`; what lies under the pointer (or in the middle) stays there.
  zoomBy(factor, event = null) {
    const { left, top, width, height } = this.root.getBoundingClientRect();
    const at = event ? [event.clientX - left, event.clientY - top] : [width / 2, height / 2];
    const under = [(at[0] - this.box.left) / this.box.width, (at[1] - this.box.top) / this.box.height];
    const fitted = this.fitted();
    const scale = Math.min((this.scale ?? fitted) * factor, Math.max(MAX_ZOOM, fitted));
    if (scale <= fitted) return this.zoomTo(null);
    const pixel = scale / window.devicePixelRatio;
    this.zoomTo(scale, [
      under[0] + (width / 2 - at[0]) / (this.size[0] * pixel),
      under[1] + (height / 2 - at[1]) / (this.size[1] * pixel),
    ]);
  }

  // The scale at which all of the picture is seen.
  fitted() {
    const { width, height } = this.root.getBoundingClientRect();
    return Math.min(width / this.size[0], height / this.size[1], 2) * window.devicePixelRatio;
  }

  layout() {
    const { width, height } = this.root.getBoundingClientRect();
    if (!this.pair || !width) return;
    const [w, h] = this.size;
    const pixel = 1 / window.devicePixelRatio; // one picture pixel on one pixel of the screen
    const scale = this.zoomed ? this.scale * pixel : Math.min(width / w, height / h, 2);
    this.box = { width: w * scale, height: h * scale };
    const place = (room, length, share) => {
      const free = room - length;
      const at = free >= 0 ? free / 2 : Math.min(0, Math.max(free, room / 2 - share * length));
      return Math.round(at / pixel) * pixel;
    };
    this.box.left = place(width, this.box.width, this.zoomed ? this.centre[0] : 0.5);
    this.box.top = place(height, this.box.height, this.zoomed ? this.centre[1] : 0.5);
    for (const layer of this.layers.children) {
      const [x, y, across, down] = layer === this.after ? [0, 0, 1, 1] : this.part;
      const [wide, high] = [this.box.width / across, this.box.height / down];
      layer.style.width = `${wide}px`;
      layer.style.height = `${high}px`;
      layer.style.transform = `translate(${this.box.left - x * wide}px, ${this.box.top - y * high}px)`;
      layer.style.clipPath = layer === this.after ? "" : partOnly(wide, high, this.part);
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
      const all = this.blinks && !this.seesScene ? this.box.width + 1 : 0;
      const hidden = this.compares && !this.blinks ? Math.max(0, this.box.left + this.box.width - at) : all;
      const [, , across, down] = this.part;
      this.before.style.clipPath = partOnly(this.box.width / across, this.box.height / down, this.part, hidden);
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
      if (this.pinch) return;
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

  // A trackpad's pinch arrives as a wheel with Ctrl.
  wheel(event) {
    event.preventDefault();
    const way = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    if (event.shiftKey && this.zoomed) return this.pan(-way * (event.deltaX || event.deltaY), 0);
    this.zoomBy(Math.exp(-way * event.deltaY * (event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM)), event);
  }

  startPinch(event) {
    if (event.touches.length !== 2) return;
    event.preventDefault();
    this.pinch = spread(event.touches);
  }

  movePinch(event) {
    if (!this.pinch || event.touches.length !== 2) return;
    event.preventDefault();
    const now = spread(event.touches);
    this.zoomBy(now.apart / this.pinch.apart, now);
    if (this.zoomed) this.pan(now.clientX - this.pinch.clientX, now.clientY - this.pinch.clientY);
    this.pinch = now;
  }
}

// The cut starts left of the product, so that the first look shows the whole of it.
function startCut([left]) {
  return Math.min(Math.max(left * 100 - 3, 8), 50);
}

// How far two fingers are apart, and the middle between them.
function spread([one, other]) {
  return {
    apart: Math.max(Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY), 1),
    clientX: (one.clientX + other.clientX) / 2,
    clientY: (one.clientY + other.clientY) / 2,
  };
}

// Where the product was asked to stand: outlines in shares of a picture of this size.
function outlineMap(outlines, [width, height]) {
  if (!outlines?.length) return null;
  const make = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const map = make("svg", { class: "asked", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": "The place that was asked for" });
  for (const outline of outlines) {
    const points = outline.map(([x, y]) => `${x * width},${y * height}`).join(" ");
    for (const line of ["asked-rim", "asked-line"]) map.append(make("polygon", { class: line, points }));
  }
  return map;
}

// Shares of the scene as shares of the part of it that is shown; a box has four numbers, a point two.
function inPart(shares, [left, top, width, height]) {
  const [x, y, ...size] = shares;
  const at = [(x - left) / width, (y - top) / height];
  return size.length ? [...at, size[0] / width, size[1] / height] : at.map((share) => Math.min(Math.max(share, 0), 1));
}

// Hides of a layer that holds all of the scene what the part does not show, and `more` pixels at its right.
function partOnly(wide, high, [x, y, across, down], more = 0) {
  return `inset(${y * high}px ${(1 - x - across) * wide + more}px ${(1 - y - down) * high}px ${x * wide}px)`;
}

// Places in the scene: where its own pixels were put back, or where the product is not its photograph.
function boxMap(className, words, boxes) {
  return element("div", `boxes ${className}`, ...boxes.map(([left, top, width, height]) => {
    const box = element("span", "", words);
    for (const [name, share] of Object.entries({ left, top, width, height })) box.style[name] = `${100 * share}%`;
    return box;
  }));
}
