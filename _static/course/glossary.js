// Al pasar el ratón por un término, o al llegar a él con el teclado, enseña su definición. Ver _ext/glossary_hover.py.
(() => {
  const source = document.getElementById("course-glossary");
  if (!source) return;
  const entries = JSON.parse(source.textContent);
  const tip = document.createElement("div");
  tip.id = "glossary-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  let owner = null;
  let timer = 0;

  const fill = (entry) => {
    const english = document.createElement("em");
    english.lang = "en";
    english.textContent = entry.en;
    const head = document.createElement("strong");
    head.textContent = entry.t;
    const title = document.createElement("span");
    title.className = "glossary-tip-title";
    title.append(head, " · ", english);
    tip.replaceChildren(title, ` ${entry.d}`);
  };

  const place = (link) => {
    const box = link.getClientRects()[0];
    const margin = 8;
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - margin);
    const above = box.top - tip.offsetHeight - margin;
    tip.style.left = `${Math.max(margin, left) + scrollX}px`;
    tip.style.top = `${(above > margin ? above : box.bottom + margin) + scrollY}px`;
  };

  const hide = () => {
    clearTimeout(timer);
    tip.hidden = true;
    owner?.removeAttribute("aria-describedby");
    owner = null;
  };
  const show = (link, entry) => {
    hide();
    fill(entry);
    tip.hidden = false;
    owner = link;
    link.setAttribute("aria-describedby", tip.id);
    place(link);
  };
  const later = (action, delay) => {
    clearTimeout(timer);
    timer = setTimeout(action, delay);
  };

  for (const mark of document.querySelectorAll("a .std-term")) {
    const link = mark.closest("a");
    const entry = entries[decodeURIComponent(link.hash.slice(1))];
    if (!entry) continue;
    link.classList.add("glossary-link");
    link.removeAttribute("title");
    // La espera evita destellos al cruzar el texto con el ratón; con el teclado no hace falta.
    link.addEventListener("mouseenter", () => later(() => show(link, entry), 150));
    link.addEventListener("mouseleave", () => later(hide, 200));
    link.addEventListener("focus", () => show(link, entry));
    link.addEventListener("blur", hide);
  }
  tip.addEventListener("mouseenter", () => clearTimeout(timer));
  tip.addEventListener("mouseleave", () => later(hide, 200));
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
