// Questions with an answer box, and the record of answers, which stays in this browser until it is exported.
"use strict";
const Progress = (() => {
  const KEY = "tinyml-workbook.progress";
  const parsed = (text) => text.split("\n").flatMap((line) => {
    try { const row = JSON.parse(line); return typeof row?.id === "string" ? [row] : []; } catch { return []; }
  });
  let held = null; // the record where the browser keeps none: as long as the page is open
  const text = () => { try { return held ?? localStorage.getItem(KEY) ?? ""; } catch { return ""; } };
  const kept = () => held === null;
  const changed = () => document.dispatchEvent(new Event("record"));
  function keep(all) {
    try { localStorage.setItem(KEY, all); held = null; } catch { held = all; }
    changed();
  }
  const rows = () => parsed(text()).filter((row) => row.where !== ""); // "": a check that was only tried out
  function summary(counts = () => true) { // answers and whether one was right, by question
    const found = new Map();
    for (const row of rows().filter(counts)) {
      const one = found.get(row.id) ?? { attempts: 0, right: false };
      found.set(row.id, { attempts: one.attempts + 1, right: one.right || row.right === true });
    }
    return found;
  }
  function merge(more) { // lines that are not there yet; the number of them
    const have = new Set(text().split("\n"));
    const fresh = parsed(more).map((row) => JSON.stringify(row)).filter((line) => !have.has(line) && have.add(line));
    if (fresh.length) keep(text() + fresh.map((line) => `${line}\n`).join(""));
    return fresh.length;
  }
  function forget() {
    held = null;
    try { localStorage.removeItem(KEY); } catch { /* nothing is kept */ }
    changed();
  }
  addEventListener("storage", ({ key }) => { if (key === KEY || key === null) changed(); }); // from another tab
  return { forget, kept, merge, rows, summary, text };
})();

class Question {
  constructor(root) {
    const { exercise, unit, title, seed = null, where = "quiz" } = root.dataset, choices = JSON.parse(root.dataset.choices ?? "[]");
    Object.assign(this, { root, id: exercise, seed, where, prompt: root.querySelector(".prompt") });
    const field = `answer-${Question.count = (Question.count ?? 0) + 1}`;
    this.box = [field, exercise, seed, where];
    this.answer = element("input", { id: field, type: "text", autocomplete: "off", spellcheck: "false",
                                     placeholder: unit === "x" ? "a factor" : unit ? `a number, in ${unit}` : "a number" });
    this.choices = choices.map((c) => element("input", { type: "radio", name: `${field}-choice`, value: c }));
    this.reply = element("div", { class: "reply", role: "status" });
    this.mark = element("span", { class: "mark" });
    root.querySelector("h2,h3,h4")?.append(this.mark);
    const button = (words, act) => element("button", { type: "button", "aria-label": `${words}: ${title}`, onclick: act }, words);
    const ask = element("button", { type: "submit", "aria-label": `Check: ${title}` }, "Check");
    const rows = [element("label", { for: field, class: "asked" }, "Answer"), this.answer, element("span", { class: "unit" }, unit)];
    if (choices.length) rows.push(element("fieldset", { class: "buttons" }, element("legend", {}, "and"),
      ...this.choices.map((box) => element("label", {}, box, element("span", {}, box.value)))));
    rows.push(ask, button("Hint", () => this.hint()));
    if (root.dataset.draws) rows.push(button("New numbers", () => this.renew()));
    root.append(element("form", { class: "answer", onsubmit: (e) => { e.preventDefault(); this.check(); } }, ...rows), this.reply);
    this.answer.addEventListener("focus", () => Python.start(), { once: true });
    root.show = () => this.show();
    this.show();
  }

  show() { // a question that is asked again begins without a mark
    const again = this.where === "review";
    const one = Progress.summary((row) => !again || (row.where === this.where && row.seed === this.seed)).get(this.id);
    this.mark.textContent = one?.right ? " ✓ right" : one ? " • tried" : "";
    this.root.dataset.state = one?.right ? "right" : one ? "tried" : "";
  }

  async ask(act, name, ...values) {
    const waiting = setTimeout(() => { this.reply.textContent = "Waiting for Python …"; }, 300);
    try { const reply = await Python.call(name, this.box, ...values); clearTimeout(waiting); act(reply); }
    catch (error) { clearTimeout(waiting); this.reply.textContent = error.message; }
  }

  check() {
    const choice = this.choices.find((box) => box.checked)?.value ?? "";
    return this.ask(({ reply, row }) => {
      this.reply.innerHTML = reply;
      if (row) Progress.merge(row);
      if (!Progress.kept()) this.reply.append(element("p", {},
        "Kept only while this page is open: the browser's storage is full or switched off. Under Book, save the record as a file."));
    }, "check", this.answer.value, choice);
  }

  hint() { return this.ask(({ reply }) => { this.reply.innerHTML = reply; }, "hint"); }

  renew() {
    return this.ask(({ prompt }) => {
      this.prompt.textContent = prompt;
      this.reply.replaceChildren();
      this.answer.value = "";
      for (const box of this.choices) box.checked = false;
      this.answer.focus();
    }, "renew");
  }
}

document.addEventListener("record", () => {
  for (const root of document.querySelectorAll("[data-exercise]")) root.show?.();
});
Page.ready(() => {
  if (location.protocol === "file:") return;
  for (const root of document.querySelectorAll("[data-exercise]")) new Question(root);
});
