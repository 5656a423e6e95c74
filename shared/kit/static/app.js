// What pages do better with a script; without it every page still works.
"use strict";

const said = document.getElementById("said");

// After a rejected form the summary takes the focus; after a good one the address forgets what was said.
document.querySelector("[data-focus]")?.focus();
const here = new URL(location.href);
if (here.searchParams.has("said")) {
  here.searchParams.delete("said");
  history.replaceState(null, "", here);
}

// One press, one form: a second press while the first is on its way is dropped (the key would catch it too).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What was typed is not sent to where it would be lost: without signal, or when whoever typed it is signed in no more. The
// form stays and says why. The server is asked first where the page has not reached it for a minute, or lost the network.
const mine = document.querySelector(".user a");
const ended = document.getElementById("ended");
let reached = Date.now();
let asked = reached;
let theirs = false; // whoever opened this page is signed in here no more
addEventListener("offline", () => (reached = 0));
async function hindrance() {
  asked = Date.now();
  try {
    const signal = AbortSignal.timeout(10_000);
    const answer = await fetch(mine.href, { headers: { Accept: "text/html" }, redirect: "manual", signal });
    theirs = answer.type === "opaqueredirect";
    if (theirs) return "out";
    if (answer.status >= 500) return "away";
    if (!answer.ok) return "";
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    theirs = page.getElementById("ended")?.dataset.who !== ended.dataset.who;
    if (theirs) return "other";
    const token = page.querySelector("[name=csrf]").value;
    for (const field of document.querySelectorAll("[name=csrf]")) field.value = token;
    reached = Date.now();
    return "";
  } catch {
    return "away";
  }
}
function hold(form, why) {
  delete form.dataset.sent;
  form.querySelector(".held")?.remove();
  const note = document.createElement("div");
  note.className = "held";
  note.setAttribute("role", "alert");
  form.append(note);
  note.append(document.getElementById(`held-${why}`).content.cloneNode(true));
}
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !mine || form.method !== "post" || !form.closest("main")) return;
  if (form.closest("[data-part]") || Date.now() - reached < 60_000) return;
  event.preventDefault();
  const why = await hindrance();
  if (why) return hold(form, why);
  reached = Date.now();
  delete form.dataset.sent;
  form.requestSubmit(event.submitter);
});
// Whoever types is there: the session goes on, and if it has ended this is said before more is typed. A key that lies
// under something is nobody.
let stuck = false;
for (const kind of ["keydown", "keyup"]) addEventListener(kind, (event) => (stuck = event.repeat));
document.addEventListener("input", async (event) => {
  if (!mine || stuck) return;
  if (Date.now() - used > 10_000) use();
  if (Date.now() - asked < 300_000) return;
  const why = await hindrance();
  if (why && why !== "away" && event.target.form) hold(event.target.form, why);
});

// Within a part that says so a form is sent without leaving the page: the part comes back as it is now, and the next
// form like it has the focus. Whatever goes wrong, the form is sent as without a script.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const part = form.closest("[data-part]");
  if (!part || form.method !== "post" || event.defaultPrevented) return;
  event.preventDefault();
  const place = [...part.querySelectorAll("form[method=post]")].indexOf(form);
  const { name, value } = event.submitter ?? {};
  try {
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const text = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = text.getElementById(part.id);
    if (!next) throw new Error(answer.status);
    part.replaceWith(next);
    const forms = next.querySelectorAll("form[method=post]");
    (forms[Math.min(place, forms.length - 1)]?.querySelector("button") ?? next.querySelector("h1")).focus();
    say(text.getElementById("said")?.textContent.trim() || text.querySelector(".notice")?.textContent.trim() || "");
    reached = Date.now();
    use();
  } catch {
    const why = mine && (await hindrance());
    if (why) return hold(form, why);
    if (name) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    form.submit();
  }
});

// Dialogs: opened as modals where they would only be shown as a target.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const closer = event.target.closest("[data-closes]");
  const dialog = document.getElementById(opener?.dataset.opens ?? closer?.dataset.closes ?? "");
  if (!dialog?.showModal) return;
  event.preventDefault();
  if (opener) dialog.showModal();
  else dialog.close();
});
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches("a[role=button]")) {
    event.preventDefault();
    event.target.click();
  }
});

// Copying, where the browser allows it, and printing.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.closest("figure").querySelector("code").textContent);
      say(button.dataset.copy);
    });
  }
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// Who has gone away is signed out by the server. Then the page takes away what it shows, also when no server answers.
// A page of the same service that the same person uses elsewhere in this browser keeps the session, so it keeps this too.
const tabs = window.BroadcastChannel && new BroadcastChannel("used");
let used = 0;
function use() {
  if (theirs) return;
  used = Date.now();
  tabs?.postMessage(ended.dataset.who);
}
function leave() {
  if (Date.now() - used >= ended.dataset.idle * 1000) hide();
}
function hide() {
  if (!ended.isConnected) return;
  document.title = "Rujukan";
  document.body.replaceChildren(ended.content);
}
if (ended) {
  use();
  tabs?.addEventListener("message", ({ data }) => {
    if (data === "left") hide();
    else if (data === ended.dataset.who) used = Date.now();
  });
  // Who signs out on one page has signed out on all.
  document.querySelector("form[action='/keluar']")?.addEventListener("submit", () => tabs?.postMessage("left"));
  setInterval(leave, 10_000);
  document.addEventListener("visibilitychange", leave);
  // A page that the browser kept whole may be older than the end of the session.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

// Parts that follow what happens: fetched again, at most twice a second, only while somebody looks. Nobody is there
// because a part follows: the page goes when its time is over.
for (const part of document.querySelectorAll("[data-refresh]")) follow(part);

function follow(part) {
  const every = Math.max(500, Number(part.dataset.every) || 1000);
  let trouble = 0;
  const again = () => setTimeout(fetchPart, every * 2 ** Math.min(trouble, 4));
  async function fetchPart() {
    if (!part.isConnected) return;
    if (document.hidden) {
      document.addEventListener("visibilitychange", fetchPart, { once: true });
      return;
    }
    try {
      const answer = await fetch(part.dataset.refresh, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      trouble = 0;
      const next = fresh.querySelector("[data-refresh]");
      if (next) {
        if (next.innerHTML !== part.innerHTML) part.replaceChildren(...next.childNodes);
        again();
      } else {
        const done = fresh.querySelector("[data-say]");
        part.replaceWith(...fresh.childNodes);
        if (done) say(done.dataset.say);
      }
    } catch {
      trouble += 1;
      again();
    }
  }
  again();
}

function say(text) {
  const line = document.createElement("p");
  line.textContent = text;
  said.replaceChildren(line);
}
