// Live figures: the controls come with the page, the picture from Python after every move.
"use strict";
{
  const DEVICE = "tinyml-workbook.device";
  const store = { get: () => { try { return localStorage.getItem(DEVICE) ?? ""; } catch { return ""; } },
                  set: (id) => { try { localStorage.setItem(DEVICE, id); } catch { /* for this page only */ } } };
  let count = 0, sources = null;

  class LiveFigure {
    constructor(root, { source = "", controls }) {
      Object.assign(this, { root, source, controls, key: root.dataset.figure, opened: null, moves: new Map(), busy: false });
      this.picture = root.querySelector(".picture");
      this.spoken = element("p", { class: "hidden", role: "status" });
      this.row = element("div", { class: "controls" });
      root.prepend(this.row);
      root.append(this.spoken);
      this.build(controls);
      whenNear(root, () => this.open());
    }

    build(controls) { // the focus stays where it is
      const parts = () => [...this.row.querySelectorAll("input,select,button")], at = parts().indexOf(document.activeElement);
      this.row.replaceChildren(...controls.map((c) => makers[c.kind](c, (v) => this.move(c.name, v))));
      parts()[at]?.focus();
    }

    open() { return this.opened ??= this.source ? this.openPython() : this.openFrames(); }

    openPython() {
      return Python.call("open_figure", this.key, this.source, store.get()).then((reply) => {
        if (!this.moves.size && JSON.stringify(reply.controls) !== JSON.stringify(this.controls)) {
          this.build(reply.controls); // with the device that was chosen on another page
          this.draw(reply);
        }
        this.root.dataset.live = "yes";
      }).catch((error) => { this.opened = null; this.fail(error); });
    }

    openFrames() { // drawn beforehand: all states lie in one file
      return fetch(new URL(`frames/${this.key}.json`, ASSETS)).then((answer) => answer.json()).then((frames) => {
        const steps = (c) => ("options" in c ? c.value : Math.round((c.value - c.min) / c.step));
        this.frames = frames;
        this.places = new Map(this.controls.map((c) => [c.name, steps(c)]));
        this.root.dataset.live = "yes";
      }).catch(() => { this.opened = null; this.fail(new Error("Its pictures could not be loaded; reload to try again.")); });
    }

    async picked(name, value) {
      if (!this.frames) return Python.call("move", this.key, name, value);
      const control = this.controls.find((c) => c.name === name);
      this.places.set(name, "options" in control ? value : Math.round((value - control.min) / control.step));
      const frame = this.frames[[...this.places.values()].join(",")];
      return frame.startsWith("<svg") ? { svg: frame, error: "" } : { svg: "", error: frame };
    }

    move(name, value) {
      this.moves.delete(name);
      this.moves.set(name, value);
      if (!this.busy) this.follow();
    }

    async follow() { // one request at a time: moves that come meanwhile are thinned to the last of each control
      this.busy = true;
      await this.open();
      while (this.opened && this.moves.size) {
        const [[name, value]] = this.moves;
        this.moves.delete(name);
        try { this.draw(await this.picked(name, value)); }
        catch (error) { this.fail(error); }
      }
      this.busy = false;
    }

    draw({ svg, error, device }) {
      this.spoken.className = "hidden";
      if (device) store.set(device);
      if (error) this.picture.replaceChildren(element("p", { role: "alert" }, error));
      else this.picture.innerHTML = svg;
      clearTimeout(this.telling);
      this.telling = setTimeout(() => { this.spoken.textContent = this.picture.querySelector("title")?.textContent ?? ""; }, 700);
    }

    fail(error) { // to be read by all, under the picture as it was
      this.moves.clear();
      this.spoken.className = "";
      this.spoken.textContent = error.message;
    }
  }

  const written = (value) => Number(Number(value).toPrecision(6)).toLocaleString("en-US", // a year has no comma
    { maximumFractionDigits: 6, useGrouping: Math.abs(value) >= 10000 });

  function range({ label, min, max, step, value }, words, send) {
    const id = `control-${++count}`, output = element("output", { for: id }, words(value));
    const input = element("input", { id, type: "range", min, max, step, value, "aria-valuetext": words(value) });
    const moved = () => {
      output.textContent = words(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
      send(Number(input.value));
    };
    input.addEventListener("input", moved);
    return { input, moved, box: element("div", { class: "control" }, element("label", { for: id }, label), input, output) };
  }

  const makers = {
    slider: (c, send) => range(c, written, send).box,
    log(c, send) {
      const power = (x) => Number((c.base ** x).toPrecision(4)), at = Math.log(c.value) / Math.log(c.base);
      return range({ ...c, value: at }, (x) => written(power(x)), (x) => send(power(x))).box;
    },
    stops: (c, send) => range({ ...c, min: 0, max: c.options.length - 1, step: 1 }, (i) => c.options[i], send).box,
    play(c, send) {
      const { input, moved, box } = range(c, written, send);
      let timer = null;
      const button = element("button", { type: "button", "aria-pressed": "false" }, "Play");
      const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; button.ariaPressed = "false"; };
      button.addEventListener("click", () => {
        if (timer) return stop();
        if (Number(input.value) >= c.max) { input.value = c.min; moved(); }
        timer = setInterval(() => {
          if (!input.isConnected || Number(input.value) >= c.max) return stop();
          input.stepUp();
          moved();
        }, Math.max(100, c.interval));
        button.textContent = "Pause";
        button.ariaPressed = "true";
      });
      box.prepend(button);
      return box;
    },
    select(c, send) {
      const id = `control-${++count}`;
      const options = c.options.map((o, i) => element("option", { value: i, selected: i === c.value }, o));
      const list = element("select", { id, onchange: () => send(Number(list.value)) }, ...options);
      return element("div", { class: "control" }, element("label", { for: id }, c.label), list);
    },
    buttons(c, send) {
      const group = `group-${++count}`;
      const options = c.options.map((o, i) => element("label", {}, element("input",
        { type: "radio", name: group, checked: i === c.value, onchange: () => send(i) }), element("span", {}, o)));
      return element("fieldset", { class: "control buttons" }, element("legend", {}, c.label), ...options);
    },
    text(c, send) {
      const id = `control-${++count}`;
      const input = element("input", { id, type: "text", value: c.value, autocomplete: "off", onchange: () => send(input.value) });
      return element("div", { class: "control" }, element("label", { for: id }, c.label), input);
    },
  };

  Page.ready(async () => {
    const found = [...document.querySelectorAll("figure[data-figure]")];
    if (!found.length || location.protocol === "file:") return;
    const known = await (sources ??= fetch(new URL("figures.json", ASSETS)).then((answer) => answer.json()));
    for (const root of found) new LiveFigure(root, known[root.dataset.figure]);
  });
}
