// Python for the page: started when first needed, or when the page asks for it; calls wait until it is ready.
"use strict";
const ASSETS = new URL(".", document.currentScript.src);

// What every page does once it is there; a page of the book is put into the present one, so that Python, once
// started, goes on.
const Page = (() => {
  const acts = [];
  const begin = async () => { await Promise.all(acts.map((act) => act())); scrollers(); };

  function scrollers() { // what scrolls sideways can be reached with the keyboard; what does not is no stop
    for (const part of document.querySelectorAll("pre,.picture,.wide,.output")) {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
      else part.removeAttribute("tabindex");
      more(part);
    }
  }
  const more = (part) => part.toggleAttribute?.("data-more", part.scrollLeft + part.clientWidth < part.scrollWidth - 1);
  addEventListener("resize", scrollers);
  addEventListener("scroll", (event) => more(event.target), { capture: true, passive: true });

  let here = location.pathname, asked = 0;

  async function show(left) { // the page of the address; left: how it was left, where one comes back to it
    const mine = ++asked;
    try {
      const answer = await fetch(location.href), text = await answer.text();
      if (mine !== asked) return; // another page was asked for meanwhile
      if (!answer.ok) throw new Error(String(answer.status));
      const next = new DOMParser().parseFromString(text, "text/html");
      for (const part of ["main", "header ul"]) document.querySelector(part).replaceWith(next.querySelector(part));
      document.title = next.title;
      const begun = begin();
      if (!left) arrive();
      await begun; // controls came meanwhile: what lies below them has moved
      if (mine === asked && (left || location.hash)) arrive(left);
    } catch { if (mine === asked) location.reload(); }
  }

  function arrive(left) {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && !left) return target.scrollIntoView();
    scrollTo(0, left?.y ?? 0);
    const link = document.links[left?.link];
    (link && link.href === left.to ? link : document.getElementById("main")).focus({ preventScroll: true });
  }

  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const to = new URL(link.href);
    if (link.download || to.protocol === "file:" || to.origin !== location.origin) return;
    if (to.pathname === location.pathname || !to.pathname.endsWith(".html")) return;
    event.preventDefault();
    history.replaceState({ y: scrollY, link: [...document.links].indexOf(link), to: to.href }, "");
    history.pushState(null, "", to);
    here = to.pathname;
    show();
  });
  addEventListener("popstate", ({ state }) => {
    if (location.pathname === here) return;
    here = location.pathname;
    show(state);
  });
  document.addEventListener("DOMContentLoaded", begin);
  const icon = document.querySelector("link[rel=icon]");
  icon.href = icon.href; // the whole address, so that it holds on the next page too
  return { ready: (act) => acts.push(act) };
})();

const Python = (() => {
  const waiting = new Map();
  let worker = null, number = 0, began = 0, settle = null;
  const state = () => document.getElementById("python");

  function say(words, kind = "") {
    state().dataset.kind = kind;
    state().textContent = words;
    clearTimeout(settle);
    if (kind === "ready") settle = setTimeout(() => { state().textContent = ""; }, 4000);
  }

  function failed(why) {
    say(`Python did not start: ${why}. The pages stay readable; reload to try again.`, "failed");
    for (const { reject } of waiting.values()) reject(new Error(state().textContent));
    waiting.clear();
  }

  function start() {
    if (worker) return;
    began = performance.now();
    say("Python: starting …");
    try { worker = new Worker(new URL("worker.js", ASSETS), { type: "module" }); }
    catch (error) { worker = {}; failed(error.message); return; }
    worker.onerror = (event) => failed(event.message || "its files could not be loaded");
    worker.onmessage = ({ data: [head, words] }) => {
      if (head === "failed") return failed(words);
      if (head !== "state") {
        const { resolve, reject } = waiting.get(head);
        waiting.delete(head);
        const reply = JSON.parse(words);
        return "failed" in reply ? reject(new Error(reply.failed)) : resolve(reply.ok);
      }
      if (words !== "ready") return say(`Python: ${words} …`);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      document.documentElement.dataset.python = seconds;
      say(`Python is ready (${seconds} s)`, "ready");
    };
  }

  function call(name, ...values) {
    return new Promise((resolve, reject) => {
      start();
      if (state().dataset.kind === "failed") return reject(new Error(state().textContent));
      waiting.set(++number, { resolve, reject });
      worker.postMessage([number, JSON.stringify([name, ...values])]);
    });
  }

  if (location.protocol === "file:") Page.ready(() => {
    if (document.querySelector("[data-figure],[data-exercise]"))
      say("Opened as a file: to move figures and answer, run python3 -m http.server in this folder.", "failed");
  });
  return { start, call };
})();

// Small helpers for making elements.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function whenNear(target, act) {
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    act();
  }, { rootMargin: "400px" });
  watch.observe(target);
}
