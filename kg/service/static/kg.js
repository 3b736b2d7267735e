// What pages do beyond reading: suggestions in search boxes, text and facts that light up together, decisions by key, copying.
// Every page is whole without it. Names come from documents, so they enter the page as text only.
"use strict";

for (const input of document.querySelectorAll("input[data-suggest]")) suggest(input);
for (const reading of document.querySelectorAll("[data-linked]")) link(reading);
for (const form of document.querySelectorAll("form[data-review]")) decide(form);
for (const citation of document.querySelectorAll(".citation")) copy(citation);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  (document.querySelector("main input[type=search]") || document.querySelector("input[type=search]")).focus();
});

function isTyping(element) {
  return element.closest("input, textarea, select, [contenteditable]") !== null;
}

function made(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

// A combobox with a list (WAI-ARIA 1.2, combobox role); in a search box a choice leads to the entity, else it fills the box.
function suggest(input) {
  const list = made("ul", "suggestions");
  const leads = input.type === "search";
  let options = [], chosen = -1, asked = 0, timer = 0;
  list.id = "suggestions-" + document.querySelectorAll(".suggestions").length;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  const holder = made("span", "suggesting");
  input.replaceWith(holder);
  holder.append(input, list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) {
    input.setAttribute(name, value);
  }

  function close() {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function take(option) {
    close();
    if (leads) location.href = input.dataset.base + option.iri.slice(option.iri.indexOf("/resource/") + 1);
    else input.value = option.label;
  }

  function choose(number) {
    chosen = options.length ? (number + options.length) % options.length : -1;
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === chosen)));
    if (chosen >= 0) input.setAttribute("aria-activedescendant", list.children[chosen].id);
  }

  function show(labels, types, iris) {
    options = labels.map((label, place) => ({ label, type: types[place], iri: iris[place] }));
    list.replaceChildren(...options.map((option, place) => {
      const item = made("li");
      item.id = `${list.id}-${place}`;
      item.setAttribute("role", "option");
      const name = made("span", "", option.label);
      name.dir = "auto";
      item.append(name, made("span", "chip type-" + option.type.toLowerCase().replace(/[^a-z0-9]+/g, ""), option.type));
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(option); });
      return item;
    }));
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    choose(-1);
    chosen = -1;
  }

  async function ask() {
    const number = ++asked;
    const text = input.value.trim();
    if (!text) return close();
    try {
      const answer = await fetch(`${input.dataset.suggest}?limit=8&q=${encodeURIComponent(text.slice(0, 200))}`);
      const [, labels, types, iris] = await answer.json();
      if (number === asked && document.activeElement === input) show(labels, types, iris);
    } catch {
      close();
    }
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 90); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen < 0 && event.key === "ArrowUp" ? options.length - 1 : chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(options[chosen]);
    }
  });
}

// A fact and the sentences it rests on light up together.
function link(reading) {
  const facts = [...reading.querySelectorAll("[data-facts]")];
  const marks = [...reading.querySelectorAll("[data-evidence]")];
  const words = (text) => text.split(" ").filter(Boolean);
  const light = (ids, on) => {
    for (const fact of facts) if (words(fact.dataset.facts).some((id) => ids.includes(id))) fact.classList.toggle("lit", on);
    for (const mark of marks) if (words(mark.dataset.evidence).some((id) => ids.includes(id))) mark.classList.toggle("lit", on);
  };
  for (const [elements, name] of [[facts, "facts"], [marks, "evidence"]]) {
    for (const element of elements) {
      const ids = words(element.dataset[name]);
      for (const event of ["pointerenter", "focusin"]) element.addEventListener(event, () => light(ids, true));
      for (const event of ["pointerleave", "focusout"]) element.addEventListener(event, () => light(ids, false));
    }
  }
  const aim = () => {
    for (const mark of marks) mark.classList.toggle("aimed", words(mark.dataset.evidence).includes(location.hash.slice(1)));
  };
  addEventListener("hashchange", aim);
  aim();
}

// Decisions by key; the entity that has the focus is decided, else the first.
function decide(form) {
  const doubts = [...form.querySelectorAll(".doubt")];
  const keys = form.querySelector(".keys");
  if (!keys || !doubts.length) return;
  keys.hidden = false;
  let before = "";
  form.addEventListener("submit", (event) => { if (!form.reportValidity()) event.preventDefault(); });
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = doubts.indexOf(document.activeElement.closest(".doubt"));
    if (event.key === "j" || event.key === "k") {
      const next = place < 0 ? 0 : Math.min(doubts.length - 1, Math.max(0, place + (event.key === "j" ? 1 : -1)));
      doubts[next].focus();
    } else {
      const button = doubts[Math.max(place, 0)].querySelector(`[data-key="${CSS.escape(before + event.key)}"]`);
      if (button) button.click();
    }
    before = event.key === "x" ? "x" : "";
  });
}

function copy(citation) {
  if (!navigator.clipboard) return;
  const button = made("button", "plain-button", "Copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(citation.textContent);
    button.textContent = "Copied";
  });
  citation.after(button);
}
