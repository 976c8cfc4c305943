// Tropa on a company's own site: docs/visitors.md. Without consent nothing is kept and nothing is sent.
(() => {
  const { src, dataset } = document.currentScript;
  const refused = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
  const stored = (value) => {
    try {
      return value ? (localStorage.tropa = value) : localStorage.tropa;
    } catch {
      return value; // for this page alone
    }
  };
  const fresh = () => stored(crypto.randomUUID());
  const at = (path) => new URL("../" + path, src).href;
  let id = refused ? "" : stored();

  const send = async (path, body) => {
    if (!id) return {};
    body = JSON.stringify({ visitor: id, ...body });
    const how = { method: "POST", body, keepalive: true, credentials: "omit" };
    return fetch(at("v1/visits" + path), how).catch(() => ({}));
  };
  const track = (name, properties = {}) => send("", { name, properties });
  const page = () => {
    const said = { page: dataset.page || location.pathname };
    const from = document.referrer && new URL(document.referrer).host;
    if (from && from !== location.host) said.referrer = from;
    new URLSearchParams(location.search).forEach((value, name) => {
      if (name.startsWith("utm_")) said[name] = value;
    });
    return track("page_viewed", said);
  };
  const consent = (yes) => {
    if (refused || (yes && id)) return;
    id = yes ? fresh() : stored("no") && "";
    page();
  };
  const identify = async (token) => {
    const { status } = await send(":identify", { token });
    if (status !== 409) return;
    id = fresh(); // this browser was somebody else's until now
    await send(":identify", { token });
  };
  addEventListener("formdata", ({ target, formData }) => {
    if (id && target.action.startsWith(at("j/"))) formData.set("visitor", id);
  });

  if (id === "no") id = "";
  else if (id) page();
  else if (dataset.consent === "given") consent(true);
  window.tropa = { consent, track, page, identify, visitor: () => id && "visitor-" + id };
})();
