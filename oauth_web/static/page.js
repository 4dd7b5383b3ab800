// What the page does better with JavaScript; it does everything without, too.
"use strict";

// The home page shows progress by itself: often while a pass runs, rarely otherwise, never in the background.
const live = document.querySelector("[data-refresh]");
if (live) {
  const busy = () => live.querySelector("[data-busy]");
  const refresh = async () => {
    // Not under somebody's fingers, nor what somebody has opened.
    if (!document.hidden && !live.contains(document.activeElement) && !live.querySelector("details[open]")) {
      try {
        const answer = await fetch(live.dataset.refresh, { credentials: "same-origin" });
        if (answer.status === 401) return location.reload();
        if (answer.ok) live.innerHTML = await answer.text();
      } catch {
        // The server is away for a moment; the next try finds it.
      }
    }
    wait();
  };
  const wait = () => setTimeout(refresh, busy() ? 1500 : 10000);
  wait();
}

// Search as you type: the table alone is fetched, and the address keeps up, so that it can be reloaded and shared.
const form = document.querySelector("form[data-live]");
if (form) {
  const found = document.querySelector(form.dataset.live);
  let timer, running;
  const search = async () => {
    running?.abort();
    running = new AbortController();
    const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = `${form.action}?${asked}`;
    asked.set("part", "table");
    try {
      const answer = await fetch(`${form.action}?${asked}`, { signal: running.signal, credentials: "same-origin" });
      if (!answer.ok) return form.submit();
      found.innerHTML = await answer.text();
      history.replaceState(null, "", address);
    } catch (error) {
      if (error.name !== "AbortError") form.submit();
    }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(search, 150); };
  form.addEventListener("input", later);
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); search(); });
}

// Copy an address with one press.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
  });
}

// One box ticks all others of a form, and loses its tick when one of them is not ticked.
document.addEventListener("change", ({ target }) => {
  const fields = [...(target.form?.elements ?? [])];
  const all = fields.find((field) => field.dataset.all);
  if (!all) return;
  if (target === all) fields.filter((field) => field.name === all.dataset.all).forEach((box) => { box.checked = all.checked; });
  else if (target.name === all.dataset.all) all.checked &&= target.checked;
});

// What a mail says is shown below it, without leaving the list.
for (const link of document.querySelectorAll("[data-text]")) {
  link.setAttribute("aria-expanded", "false");
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    const row = link.closest("[data-row]");
    const shown = row.querySelector(".text");
    link.setAttribute("aria-expanded", String(!shown));
    if (shown) return shown.remove();
    const place = document.createElement("div");
    place.className = "text";
    place.setAttribute("aria-live", "polite");
    row.append(place);
    try {
      const answer = await fetch(`${link.href}&part=text`, { credentials: "same-origin" });
      if (!answer.ok) return location.assign(link.href);
      place.innerHTML = await answer.text();
    } catch {
      location.assign(link.href);
    }
  });
}

// Keys for a long list of mails: j and k go from one to the next, the others press a button of the one that has the focus.
const rows = [...document.querySelectorAll("[data-row]")];
if (rows.length) {
  const keep = "buyerblock-row";
  const here = () => rows.findIndex((row) => row.contains(document.activeElement));
  const go = (number) => rows[Math.max(0, Math.min(number, rows.length - 1))].focus();
  document.querySelector("[data-keys]")?.removeAttribute("hidden");
  if (sessionStorage.getItem(keep)) go(Number(sessionStorage.getItem(keep)));
  sessionStorage.removeItem(keep);
  document.addEventListener("keydown", (event) => {
    const inField = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") go(here() + 1);
    if (event.key === "k") go(here() - 1);
    const button = rows[here()]?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return;
    sessionStorage.setItem(keep, here());
    button.click();
  });
}

// A file dropped anywhere on a form with a file field goes into that field.
for (const field of document.querySelectorAll('input[type="file"]')) {
  field.form.addEventListener("dragover", (event) => event.preventDefault());
  field.form.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length) {
      event.preventDefault();
      field.files = event.dataTransfer.files;
    }
  });
}

// The server starts anew: go on as soon as it answers again.
const back = document.querySelector("[data-back]");
if (back) {
  const look = async () => {
    try {
      if ((await fetch(back.dataset.back)).ok) return location.assign(back.href);
    } catch {
      // It is still away.
    }
    setTimeout(look, 1000);
  };
  setTimeout(look, 3000);
}
