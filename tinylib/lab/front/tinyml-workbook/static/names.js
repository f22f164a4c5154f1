// Names and states of the controls beside a figure, for screen readers: ipywidgets draws a label, a pressed
// button and an icon, but does not say them. JupyterLab loads this file as it stands; nothing is built.
(() => {
  const words = (box) => box.querySelector(":scope > .widget-label")?.textContent.trim() ?? "";
  const put = (element, name, value) => {
    if (value && element.getAttribute(name) !== value) element.setAttribute(name, value);
  };
  const group = (role) => (box) => {
    put(box, "role", role);
    put(box, "aria-label", words(box));
  };
  const ICONS = {
    "fa-play": "play",
    "fa-pause": "pause",
    "fa-stop": "back to the start",
    "fa-retweet": "repeat",
  };
  const RULES = {
    ".widget-slider .noUi-handle": (handle) => {
      const box = handle.closest(".widget-slider");
      put(handle, "aria-label", words(box));
      put(handle, "aria-valuetext", box.querySelector(".widget-readout")?.textContent);
    },
    ".widget-slider .widget-readout[contenteditable=true]": (field) => {
      put(field, "role", "textbox");
      put(field, "aria-label", `${words(field.closest(".widget-slider"))}, as a number`);
    },
    ".widget-toggle-buttons": group("group"),
    ".widget-radio": group("radiogroup"),
    ".widget-toggle-button": (button) => {
      put(button, "aria-pressed", String(button.classList.contains("mod-active")));
    },
    ".widget-play button": (button) => {
      const icon = [...(button.firstElementChild?.classList ?? [])].find((name) => name in ICONS);
      put(button, "aria-label", ICONS[icon]);
      put(button, "title", ICONS[icon]);
    },
  };
  const say = () => {
    for (const [which, rule] of Object.entries(RULES)) document.querySelectorAll(which).forEach(rule);
  };
  let soon = 0;
  const changed = () => {
    soon ||= requestAnimationFrame(() => {
      soon = 0;
      say();
    });
  };
  const activate = () => {
    const what = { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] };
    new MutationObserver(changed).observe(document.body, what);
  };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["tinyml-workbook"] = {
    init() {},
    get: async () => () => ({ id: "tinyml-workbook:names", autoStart: true, activate }),
  };
})();
