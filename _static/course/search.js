// Los resultados del buscador: qué páginas, en qué orden y con qué extracto. Ver _ext/search_text.py.
// Sphinx pone la página y el índice, que dice qué palabras hay en cada página y en sus títulos. Aquí se puntúa, y el
// texto de una página se pide solo cuando se ve su resultado.
"use strict";

(() => {
  // Puntos de una página: la media de los de cada palabra, según dónde la tenga, más los del título, el término o el
  // mensaje que más se parezca a la consulta entera. Lo escrito con la misma tilde va antes.
  const PAGE_TITLE = 10, HEADING = 4, BODY = 1, WHOLE = 8, EXACT = 1;
  // De una consulta de cinco palabras o más, un mensaje pegado, bastan tres cuartas partes; o que la página tenga tres
  // cuartas partes de un mensaje así: lo que rellena sus huecos, un paquete o una versión, no está en ninguna.
  const LONG = 5, ENOUGH = 0.75;
  const LENGTH = 240; // letras de un extracto
  const WORD = /[\p{Letter}\p{Number}_]+/gu;
  const root = document.documentElement.dataset.content_root;
  const stemmer = new Stemmer();
  const stem = (word) => stemmer.stemWord(word);

  /** Las raíces de una consulta o de un título, sin repetir y sin las palabras vacías. */
  const parse = (text) => [...new Set(splitQuery(text).map(stem))].filter((word) => !stopwords.includes(word));

  const plain = (html) => new DOMParser().parseFromString(html, "text/html").body.textContent.normalize("NFC");
  const address = (page) => root + page.name + DOCUMENTATION_OPTIONS.LINK_SUFFIX;

  /** Lo que se busca: el texto, sus raíces y cuáles, por no estar en el índice, valen como parte de otra palabra. */
  const understand = (text) => {
    const { terms, titleterms } = Search._index;
    const lists = [[terms, BODY], [titleterms, HEADING]].map(([list, points]) => [new Map(Object.entries(list)), points]);
    const words = parse(text);
    const parts = words.filter((word) => word.length > 2 && !lists.some(([list]) => list.has(word)));
    return { text: text.normalize("NFC").toLowerCase().trim(), words, parts, lists };
  };

  /** Las páginas que tienen las palabras de la consulta, de mejor a peor, y si las tienen todas. */
  const rank = ({ text, words, parts, lists }) => {
    const { titles, docnames, alltitles, indexentries } = Search._index;
    const pages = titles.map((html, i) => ({ name: docnames[i], title: plain(html), points: new Map(), whole: 0, said: false }));
    const give = (word, found, points) => [found].flat().forEach((i) => {
      pages[i].points.set(word, Math.max(pages[i].points.get(word) || 0, points));
    });
    for (const [list, points] of lists) {
      for (const word of words) if (list.has(word)) give(word, list.get(word), points);
      for (const part of parts) list.forEach((found, word) => word.includes(part) && give(part, found, points / 2));
    }
    pages.forEach(({ title }, i) => parse(title).forEach((word) => words.includes(word) && give(word, i, PAGE_TITLE)));
    for (const [heading, found] of [...Object.entries(alltitles), ...Object.entries(indexentries)]) {
      const own = parse(heading);
      const shared = own.filter((word) => words.includes(word)).length;
      const exact = shared && heading.normalize("NFC").toLowerCase().includes(text) ? EXACT : 0;
      const points = WHOLE * shared / Math.max(own.length, words.length, 1) + exact;
      const said = own.length >= LONG && shared >= ENOUGH * own.length;
      for (const [i] of found) {
        pages[i].whole = Math.max(pages[i].whole, points);
        pages[i].said ||= said;
      }
    }
    const score = (page) => [...page.points.values()].reduce((sum, points) => sum + points, 0) / words.length + page.whole;
    const menu = [...document.querySelectorAll("nav.bd-links a")].map((link) => link.pathname);
    const turn = (page) => menu.indexOf(new URL(address(page), location).pathname) + 1 || menu.length + 1;
    const most = Math.max(...pages.map((page) => page.points.size));
    const need = words.length < LONG ? most : Math.min(most, ENOUGH * words.length);
    const least = Math.max(need, words.length / 2);
    const found = pages.filter(({ points, said }) => points.size && (said || points.size >= least));
    found.sort((a, b) => score(b) - score(a) || turn(a) - turn(b));
    return { found, all: most === words.length };
  };

  // ── El texto de las páginas ──
  const waiting = new Map();
  Search.setText = (name, places) => waiting.get(name)(places);
  const loadText = (name) => new Promise((resolve, reject) => {
    waiting.set(name, resolve);
    const script = document.createElement("script");
    Object.assign(script, { src: `${root}_search/${name}.js`, onerror: reject });
    document.head.append(script);
  });

  /** Las palabras de un texto que responden a la consulta, con su posición. */
  const hits = (text, { words, parts, text: query }) => [...text.matchAll(WORD)].flatMap(({ 0: word, index }) => {
    const its = stem(word);
    const answers = words.find((one) => one === its) || parts.find((part) => its.includes(part));
    return answers ? [{ word, index, answers, exact: query.includes(word.toLowerCase()) }] : [];
  });

  const distinct = (found) => new Set(found.map(({ answers }) => answers)).size;

  /** El sitio de la página que mejor responde: con más palabras de la consulta, mejor en el título, y más veces. */
  const bestPlace = (places, query) => {
    let best = { points: -1 };
    for (const [anchor, heading, text] of places) {
      const above = hits(heading, query), found = hits(text, query);
      const points = 1e6 * distinct([...above, ...found]) + 1e3 * distinct(above) + Math.min(found.length, 999);
      if (points > best.points) best = { points, anchor, heading, text, found, titled: distinct(above) === query.words.length };
    }
    return best;
  };

  /** El trozo de texto con más palabras distintas de la consulta, y estas, marcadas. */
  const excerpt = ({ text, found, titled }) => {
    const near = (first) => found.filter(({ index }) => index >= first.index && index < first.index + LENGTH * 0.7);
    const value = (first) => distinct(near(first)) + (first.exact ? 0.5 : 0);
    const first = found.reduce((best, hit) => (value(hit) > value(best) ? hit : best), found[0]);
    // Si lo dice el título, lo que sigue se lee desde el principio.
    let start = Math.max(0, titled || !first ? 0 : first.index - LENGTH * 0.3);
    if (start) start = text.indexOf(" ", start) + 1;
    let end = start + LENGTH < text.length ? text.lastIndexOf(" ", start + LENGTH) : text.length;
    if (end <= start) end = start + LENGTH;
    const paragraph = document.createElement("p");
    paragraph.className = "context";
    let last = start;
    if (start) paragraph.append("… ");
    for (const { index, word } of found.filter((hit) => hit.index >= start && hit.index + hit.word.length <= end)) {
      const mark = document.createElement("mark");
      mark.textContent = word;
      paragraph.append(text.slice(last, index), mark);
      last = index + word.length;
    }
    paragraph.append(text.slice(last, end), end < text.length ? " …" : "");
    return paragraph;
  };

  const link = (href, text) => Object.assign(document.createElement("a"), { href, textContent: text });

  /** Completa un resultado: el apartado que mejor responde y su extracto. */
  const fill = async (item, page, query) => {
    const places = await loadText(page.name).catch(() => []);
    item.classList.remove("pending");
    if (!places.length) return;
    const best = bestPlace(places, query);
    if (best.anchor !== places[0][0]) {
      const section = link(`${address(page)}#${best.anchor}`, best.heading);
      section.className = "place";
      item.append(section);
    }
    if (best.text) item.append(excerpt(best));
    // Sphinx marca estas palabras en la página a la que se va: tal como están escritas en ella.
    const forms = [...new Set(best.found.map(({ word }) => word.toLowerCase()))].join(" ");
    item.addEventListener("click", () => localStorage.setItem("sphinx_highlight_terms", forms));
  };

  Search.query = (text) => {
    const query = understand(text);
    const { found, all } = rank(query);
    const seen = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
      if (!isIntersecting) return;
      seen.unobserve(target);
      fill(target, target.page, query);
    }));
    for (const page of found) {
      const item = Object.assign(document.createElement("li"), { className: "pending", page });
      item.append(link(address(page), page.title));
      Search.output.append(item);
      seen.observe(item);
    }
    Search.status.setAttribute("role", "status");
    _finishSearch(found.length);
    if (found.length && !all) Search.status.prepend("Ninguna página tiene todas las palabras; esto es lo más cercano. ");
  };
})();
