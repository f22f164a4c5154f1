// The map of the book with what is done, questions that come again, and the record going out and in.
"use strict";
{
  const ids = (item) => item.dataset.exercises.split(" ").filter(Boolean);
  const many = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
  let bank = null;

  function map() {
    const done = Progress.summary(), lessons = [];
    for (const item of document.querySelectorAll("[data-exercises]")) {
      const all = ids(item), right = all.filter((id) => done.get(id)?.right).length;
      const bar = item.querySelector("progress"), words = item.querySelector(".count");
      Object.assign(bar, { hidden: false, max: Math.max(all.length, 1), value: right });
      words.textContent = all.length ? `${right} of ${all.length} right` : "to read";
      item.dataset.state = all.length && right === all.length ? "done" : right ? "begun" : "";
      if ("lesson" in item.dataset) lessons.push(item);
    }
    const line = document.getElementById("record-line");
    if (!line) return;
    const total = [...done.values()], given = total.reduce((sum, one) => sum + one.attempts, 0);
    line.textContent = given ? `${total.filter((one) => one.right).length} of ${line.dataset.total} questions right, ${many(given, "answer")} given.`
                             : "Nothing recorded yet.";
    if (!Progress.kept()) line.textContent += " This browser's storage is full or switched off: save the record before you close the page.";
    goOn(lessons.filter((item) => item.dataset.state !== "done"));
    again(given);
  }

  function goOn(open) { // as tinylib.practice.plan.next_lesson: the lesson of the latest quiz while it is open
    const latest = Progress.rows().findLast((row) => (row.where ?? "quiz") === "quiz")?.id;
    const next = open.find((item) => ids(item).includes(latest) && (item.dataset.state || item === open[0])) ?? open[0];
    const from = next?.querySelector("a"), link = document.getElementById("next-lesson");
    if (from) { link.href = from.href; link.textContent = from.textContent; }
  }

  // What only the book's own rules can say: time left, weak concepts, and questions that come again.
  async function again(given) {
    const place = document.getElementById("again");
    place.hidden = !given;
    document.getElementById("go-words").textContent = given ? "Go on with" : "Begin with";
    if (!given) return;
    const found = await Python.call("standing", Progress.text()).catch(() => null); // the page says why
    if (!found || !place.isConnected) return;
    document.querySelector("#map .picture").innerHTML = found.map;
    document.getElementById("minutes-left").textContent = `about ${found.left} of lessons left`;
    const weak = document.getElementById("weak");
    weak.hidden = !found.weak.length;
    weak.querySelector("ul").replaceChildren(...found.weak.map(({ concept, missed, tried, lesson }) => element("li", {},
      lesson ? element("a", { href: `lessons/${lesson}.html` }, concept) : concept, `: ${missed} of ${tried} first tries missed`)));
    const said = document.getElementById("review-said"), early = document.getElementById("review-early");
    said.textContent = found.due ? `${many(found.due, "question")} today, ${many(found.waiting - found.due, "question")} later.`
      : found.waiting ? `None today; ${many(found.waiting, "question")} later.` : "None waits.";
    const review = document.getElementById("review");
    early.hidden = Boolean(found.due || review.childElementCount) || !found.waiting;
    early.onclick = async () => { early.hidden = true; await ask(review, found.again); review.querySelector("input")?.focus(); };
    if (found.due && !review.childElementCount) ask(review, found.again.slice(0, found.due));
  }

  async function ask(review, questions) {
    bank ??= await (await fetch(new URL("bank.json", ASSETS))).json();
    review.replaceChildren(...questions.map(({ id, seed, prompt }) => {
      const root = new DOMParser().parseFromString(bank[id], "text/html").querySelector("section");
      Object.assign(root.dataset, { seed, where: "review" });
      root.querySelector(".prompt").textContent = prompt;
      new Question(root);
      return root;
    }));
  }

  Page.ready(() => {
    map();
    const said = document.getElementById("record-said"), file = document.getElementById("record-file");
    if (!file) return;
    document.getElementById("record").hidden = false;
    document.getElementById("record-out").addEventListener("click", () => {
      const link = element("a", { download: "progress.jsonl", href: URL.createObjectURL(new Blob([Progress.text()], { type: "application/x-ndjson" })) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      said.textContent = "The record was saved as progress.jsonl.";
    });
    file.addEventListener("change", async () => {
      const added = file.files.length ? Progress.merge(await file.files[0].text()) : 0;
      said.textContent = `${many(added, "answer")} ${added === 1 ? "was" : "were"} added.`;
      file.value = "";
    });
    document.getElementById("record-forget").addEventListener("click", () => {
      if (!confirm("Delete the record of your answers in this browser?")) return;
      Progress.forget();
      said.textContent = "The record was deleted.";
    });
  });
  document.addEventListener("record", map);
}
