// Progreso de lectura, solo en este navegador: nada se envía. Ver _ext/progress.py.
(() => {
  const KEY = "llm-en-tres-semanas:progreso";
  const { page, kind } = document.currentScript.dataset;
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const urlOf = (name) => new URL(`${name}.html`, root).href;

  const load = () => {
    let stored = null;
    try {
      stored = JSON.parse(localStorage.getItem(KEY));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // un dato roto se descarta
    }
    return { read: {}, ...stored };
  };
  let state;
  // Se relee antes de escribir: puede haber otra pestaña abierta.
  const update = (change) => {
    state = load();
    change(state);
    localStorage.setItem(KEY, JSON.stringify(state));
  };
  try {
    update(() => {});
  } catch {
    return; // sin almacenamiento (navegación privada, permisos) no hay progreso que enseñar
  }

  const make = (tag, className, text = "") => {
    const node = document.createElement(tag);
    node.className = className;
    node.textContent = text;
    return node;
  };

  const sidebar = () => [...document.querySelectorAll(".bd-sidebar-primary nav a.reference.internal")];
  const paintSidebar = () => {
    const read = new Set(Object.keys(state.read).map(urlOf));
    for (const link of sidebar()) {
      link.querySelector(".progress-tick")?.remove();
      if (!read.has(link.href.split("#")[0])) continue;
      const tick = make("span", "progress-tick");
      tick.append(make("span", "visually-hidden", " (leída)"));
      link.append(tick);
    }
  };

  const addToggle = () => {
    const article = document.querySelector("article");
    const button = make("button", "progress-toggle");
    button.type = "button";
    const status = make("span", "visually-hidden");
    status.setAttribute("role", "status");
    const paint = () => {
      const done = page in state.read;
      button.classList.toggle("is-read", done);
      button.textContent = done ? "Leída. Quitar la marca" : "Marcar como leída";
    };
    button.addEventListener("click", () => {
      const done = page in state.read;
      update(({ read }) => {
        if (done) delete read[page];
        else read[page] = new Date().toISOString().slice(0, 10);
      });
      paint();
      paintSidebar();
      status.textContent = page in state.read ? "Página marcada como leída." : "Marca quitada.";
    });
    paint();
    const box = make("div", "progress-box");
    box.append(button, status);
    article?.append(box);
  };

  const titleOf = (heading) => {
    const copy = heading.cloneNode(true);
    copy.querySelectorAll(".headerlink").forEach((link) => link.remove());
    return copy.textContent.trim();
  };

  const rememberPlace = () => {
    const headings = [...document.querySelectorAll("article section > :is(h1, h2, h3)")];
    if (!headings.length) return;
    const passed = headings.filter((heading) => heading.getBoundingClientRect().top < innerHeight / 2);
    const here = passed.at(-1) || headings[0];
    const last = { page, title: titleOf(headings[0]) };
    if (here !== headings[0]) Object.assign(last, { section: titleOf(here), anchor: here.parentElement.id });
    update((stored) => Object.assign(stored, { last }));
  };

  const addContinue = () => {
    const last = state.last;
    const heading = document.querySelector("article h1");
    if (!last || !heading) return;
    const box = make("p", "progress-continue");
    const link = make("a", "", last.section ? `${last.title}: ${last.section}` : last.title);
    link.href = urlOf(last.page) + (last.anchor ? `#${last.anchor}` : "");
    box.append(make("strong", "", "Continúa donde lo dejaste: "), link);
    const pages = new Set(sidebar().map((item) => item.href.split("#")[0]));
    const count = Object.keys(state.read).filter((name) => pages.has(urlOf(name))).length;
    if (count) box.append(make("span", "progress-count", count === 1 ? " 1 página leída." : ` ${count} páginas leídas.`));
    heading.after(box);
  };

  paintSidebar();
  if (kind === "home") addContinue();
  if (kind === "lesson") {
    addToggle();
    addEventListener("pagehide", rememberPlace);
    document.addEventListener("visibilitychange", () => document.hidden && rememberPlace());
  }
})();
