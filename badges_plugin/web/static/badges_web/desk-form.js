/* The form of a badge: a list to choose from while somebody types, and the column at the side, which follows what is
   chosen. Without this file the form does the same by its buttons. */
(function () {
  "use strict";

  const form = document.querySelector("[data-desk-form]");
  if (!form) return;
  const WAIT = 500;
  let number = 0;

  /* The column at the side. */

  const aside = form.querySelector("[data-desk-aside]");
  const drawing = form.querySelector("[data-desk-drawing]");
  let timer = 0;
  let asked = 0;

  /* The sentence stays the same element, so that screen readers say what it says now. */
  function show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const [sentence, ...others] = fresh.querySelectorAll("section");
    const [shown, ...old] = aside.querySelectorAll("section");
    const words = shown.querySelector(".desk-lead");
    if (words.textContent !== sentence.querySelector(".desk-lead").textContent) {
      words.textContent = sentence.querySelector(".desk-lead").textContent;
    }
    for (const each of old) each.remove();
    aside.append(...others);
  }

  async function renew() {
    const mine = ++asked;
    const data = new FormData(form);
    data.delete("file");
    data.append("_aside", "1");
    data.append("_look", "1");
    let answer;
    try {
      const response = await fetch(window.location.href, { method: "POST", body: data, credentials: "same-origin" });
      if (!response.ok) return;
      answer = await response.json();
    } catch {
      return; // the next change asks again, and "Check again" says what is wrong
    }
    if (mine !== asked) return;
    show(answer.aside);
    if (data.get("image") === "drawn") drawing.innerHTML = answer.drawing;
  }

  function renewSoon() {
    window.clearTimeout(timer);
    timer = window.setTimeout(renew, WAIT);
  }

  form.addEventListener("input", (event) => {
    if (event.target.getAttribute("role") !== "combobox") renewSoon();
  });

  /* Typed before this file was loaded, or restored by the browser when somebody came back. */
  function isChanged(field) {
    if (field instanceof HTMLSelectElement) return [...field.options].some((each) => each.selected !== each.defaultSelected);
    return "checked" in field && /^(checkbox|radio)$/.test(field.type)
      ? field.checked !== field.defaultChecked
      : "defaultValue" in field && field.value !== field.defaultValue;
  }
  if ([...form.elements].some(isChanged)) renewSoon();

  /* A field with a list below it: https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ */

  /* What can be chosen: its title, its key, which is read from left to right, and what else tells it from others. */
  function described(option, element) {
    const parts = [document.createElement(element)];
    parts[0].dir = "auto";
    parts[0].textContent = option.title;
    if (option.key) {
      const key = document.createElement("bdi");
      key.className = "desk-key";
      key.dir = "ltr";
      key.textContent = option.key;
      parts.push(document.createElement("br"), key);
    }
    if (option.note) {
      const note = document.createElement("span");
      note.className = "desk-small";
      note.textContent = option.note;
      parts.push(document.createElement("br"), note);
    }
    return parts;
  }

  function makeList(line) {
    const field = line.querySelector("input[type=text], input:not([type])");
    if (!field) return;
    const list = document.createElement("ul");
    const status = document.createElement("p");
    list.id = `desk-list-${++number}`;
    list.className = "desk-picker";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", form.dataset.found);
    status.className = "desk-vh";
    status.setAttribute("role", "status");
    field.after(list, status);
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-expanded", "false");
    field.setAttribute("aria-controls", list.id);
    const value = document.createElement("input");
    value.type = "hidden";
    value.name = field.name.replace(/-text$/, "-value");
    field.after(value);
    let wait = 0;
    let latest = 0;

    function close() {
      list.hidden = true;
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
    }

    function mark(option) {
      for (const each of list.children) each.setAttribute("aria-selected", String(each === option));
      if (option) {
        field.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else {
        field.removeAttribute("aria-activedescendant");
      }
    }

    function choose(option) {
      close();
      line.querySelector(".desk-found")?.remove();
      value.value = option.dataset.value;
      field.value = "";
      field.hidden = true;
      const chip = document.createElement("span");
      chip.className = "desk-chip";
      chip.append(...described(option.dataset, "strong"));
      const again = document.createElement("button");
      again.type = "button";
      again.className = "button desk-plain desk-mini";
      again.textContent = form.dataset.another;
      again.addEventListener("click", () => {
        chip.remove();
        again.remove();
        value.value = "";
        field.hidden = false;
        field.focus();
        renewSoon();
      });
      field.before(chip, again);
      again.focus();
      renewSoon();
    }

    function offer(options) {
      list.replaceChildren(
        ...options.map((each, place) => {
          const option = document.createElement("li");
          option.id = `${list.id}-${place}`;
          option.setAttribute("role", "option");
          option.setAttribute("aria-selected", "false");
          Object.assign(option.dataset, each);
          option.append(...described(each, "bdi"));
          option.addEventListener("mousedown", (event) => {
            event.preventDefault(); // the field keeps the focus until it is chosen
            choose(option);
          });
          return option;
        }),
      );
      list.hidden = options.length === 0;
      field.setAttribute("aria-expanded", String(options.length > 0));
      field.removeAttribute("aria-activedescendant");
      status.textContent = options.length ? `${options.length} ${form.dataset.count}` : form.dataset.none;
    }

    async function search() {
      const mine = ++latest;
      const term = field.value.trim();
      if (term.length < 2) {
        close();
        return;
      }
      const asking = new URLSearchParams({ kind: line.dataset.deskChoose, q: term, but: form.dataset.but || "" });
      let answer;
      try {
        const response = await fetch(`${form.dataset.find}?${asking}`, { credentials: "same-origin" });
        if (!response.ok) return;
        answer = await response.json();
      } catch {
        return;
      }
      if (mine === latest && document.activeElement === field) offer(answer.options);
    }

    field.addEventListener("input", () => {
      window.clearTimeout(wait);
      wait = window.setTimeout(search, WAIT / 2);
      renewSoon();
    });
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      const options = [...list.children];
      const place = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
      if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        close();
      } else if (list.hidden) {
        if (event.key === "ArrowDown") search();
      } else if (event.key === "ArrowDown") {
        event.preventDefault();
        mark(options[(place + 1) % options.length]);
      } else if (event.key === "ArrowUp") {
        event.preventDefault();
        mark(options[(place + options.length - (place < 0 ? 0 : 1)) % options.length]);
      } else if (event.key === "Enter" && place >= 0) {
        event.preventDefault();
        choose(options[place]);
      }
    });
  }

  for (const line of form.querySelectorAll("[data-desk-choose]")) makeList(line);
})();
