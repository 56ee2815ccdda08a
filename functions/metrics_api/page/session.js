"use strict";

// Signs people in with OpenID Connect (authorization code with PKCE), and sends their token with each request to the
// API. Tokens stay in the memory of this document. Where the API says that nobody signs in, requests go as they are.
{
  const EARLY_MS = 30_000;
  const SAVED = "sign-in:";
  const plain = window.fetch.bind(window);
  let client = null;
  let tokens = null;
  let renewing = null;

  const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
  const claims = (token) => JSON.parse(new TextDecoder().decode(
    Uint8Array.from(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0)),
  ));
  const here = () => `${location.origin}${location.pathname}`;

  const made = (tag, text, attributes) => {
    const node = document.createElement(tag);
    node.textContent = text;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };

  // Leave for the sign-in page. What is shown stays in this tab, under a name that nobody can guess.
  const leave = async () => {
    const [state, nonce, verifier] = [random(), random(), random()];
    const shown = `${location.search}${location.hash}`;
    sessionStorage.setItem(`${SAVED}${state}`, JSON.stringify({ nonce, verifier, shown }));
    const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
    location.assign(`${client.url}/oauth2/authorize?${new URLSearchParams({
      response_type: "code", client_id: client.client_id, redirect_uri: here(), scope: `openid email ${client.scope}`,
      state, nonce, code_challenge: challenge, code_challenge_method: "S256",
    })}`);
  };

  const tell = (reason) => {
    document.getElementById("session-told")?.remove();
    const notice = made("p", `${reason} `, { id: "session-told", role: "alert" });
    document.querySelector("header").after(notice);
    return notice;
  };

  const ask = (reason) => {
    const button = made("button", "Sign in", { type: "button" });
    button.addEventListener("click", leave);
    tell(reason).append(button);
  };

  // Return tokens of the token endpoint; null where it refuses.
  const granted = async (grant) => {
    const answer = await plain(`${client.url}/oauth2/token`, {
      method: "POST", body: new URLSearchParams({ client_id: client.client_id, ...grant }),
    });
    if (answer.status >= 500) throw new Error("The sign-in service does not answer. Try again in a minute.");
    if (!answer.ok) return null;
    const { access_token: access, expires_in: seconds, id_token: identity, refresh_token: refresh } = await answer.json();
    return { access, identity, refresh: refresh ?? tokens?.refresh, until: Date.now() + 1000 * seconds };
  };

  // The tokens that a return from the sign-in page is worth; null where this is none.
  const returned = async () => {
    const { searchParams: answer } = new URL(location.href);
    const [code, refused, state] = ["code", "error", "state"].map((name) => answer.get(name));
    if (!state || !(code || refused)) return null;
    const saved = sessionStorage.getItem(`${SAVED}${state}`);
    sessionStorage.removeItem(`${SAVED}${state}`);
    const { nonce, verifier, shown } = JSON.parse(saved ?? "{}");
    history.replaceState(null, "", `${location.pathname}${shown ?? ""}`);
    if (!saved) throw new Error("This answer of the sign-in page belongs to another window.");
    if (refused) throw new Error(`The sign-in page answered: ${answer.get("error_description") ?? refused}.`);
    const found = await granted({ grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: here() });
    if (!found) throw new Error("The code of the sign-in page is not valid, or it was used before.");
    const told = claims(found.identity);
    if (told.nonce !== nonce || told.aud !== client.client_id || told.iss !== client.issuer) {
      throw new Error("The sign-in page answered for another request.");
    }
    return found;
  };

  const ended = () => {
    tokens = null;
    ask("Your session has ended.");
  };

  // Requests that come at once share one renewal: a refresh token is good for one.
  const renew = () => {
    renewing ??= granted({ grant_type: "refresh_token", refresh_token: tokens.refresh ?? "" })
      .then((found) => { if (found) tokens = found; else ended(); })
      .finally(() => { renewing = null; });
    return renewing;
  };

  const leaveForGood = async () => {
    const { refresh } = tokens ?? {};
    tokens = null;
    const body = new URLSearchParams({ client_id: client.client_id, token: refresh });
    await plain(`${client.url}/oauth2/revoke`, { method: "POST", body }).catch(() => {});
    location.assign(`${client.url}/logout?${new URLSearchParams({ client_id: client.client_id, logout_uri: `${location.origin}/` })}`);
  };

  const show = () => {
    document.documentElement.classList.add("signed-in");
    const who = made("p", `${claims(tokens.identity).email ?? "Signed in"} `, { id: "session" });
    const button = made("button", "Sign out", { type: "button" });
    button.addEventListener("click", leaveForGood);
    who.append(button);
    document.querySelector("header").append(who);
  };

  const begin = async () => {
    const answer = await plain("/page/sign-in.json");
    if (!answer.ok) throw new Error(`The page cannot tell where to sign in: ${answer.status}.`);
    const found = await answer.json();
    if (!found.client_id) {
      document.querySelector("header").append(made("p", "Development: nobody signs in", { id: "session" }));
      return;
    }
    client = found;
    try {
      tokens = await returned();
      if (tokens) show(); else await leave();
    } catch (error) { ask(error.message); }
    // What the page asks waits until somebody has signed in, which opens it anew.
    if (!tokens) await new Promise(() => {});
  };

  const style = made("link", "", { rel: "stylesheet", href: "/page/session.css" });
  document.head.append(style);
  const ready = begin();
  ready.catch((error) => tell(error.message));

  const signed = async (input, options) => {
    await ready;
    if (!client) return plain(input, options);
    if (tokens && tokens.until - Date.now() < EARLY_MS) await renew();
    if (!tokens) throw new Error("Your session has ended: sign in again.");
    const path = new URL(input, location.href);
    const headers = new Headers(options.headers);
    headers.set("authorization", `Bearer ${tokens.access}`);
    const answer = await plain(`/signed-in${path.pathname}${path.search}`, { ...options, headers });
    if (answer.status === 401) ended();
    return answer;
  };

  // Each request of the page goes through here, so that none is forgotten; the token goes to this origin only.
  window.fetch = (input, options = {}) => {
    const { origin, pathname } = new URL(input instanceof Request ? input.url : input, location.href);
    const isOurs = origin === location.origin && pathname.startsWith("/v1/");
    return isOurs ? signed(input instanceof Request ? input.url : input, options) : plain(input, options);
  };

  // The browser follows a link without a token.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[download]");
    if (!client || !link || !new URL(link.href).pathname.startsWith("/v1/")) return;
    event.preventDefault();
    const answer = await window.fetch(link.href).catch(() => null);
    if (answer?.status !== 200) { tell("The file cannot be read at the moment: try again."); return; }
    const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "figures.csv";
    const file = made("a", "", { href: URL.createObjectURL(await answer.blob()), download: name });
    file.click();
    setTimeout(() => URL.revokeObjectURL(file.href), 60_000);
  });
}
