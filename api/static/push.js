// The page that turns this browser's notifications on and off.
"use strict";

const page = document.getElementById("push");
const shows = (...ids) =>
  ["on", "off", "is-on", "refused", "failed", "unable"].forEach((id) => {
    document.getElementById(id).hidden = !ids.includes(id);
  });

const bytes = (text) => {
  const padded = text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat((4 - (text.length % 4)) % 4);
  return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
};

const tell = async (method, body) => {
  const answer = await fetch(location.pathname, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(String(answer.status));
};

const worker = async () => {
  const registration = await navigator.serviceWorker.register("/static/push-worker.js");
  const starting = registration.installing || registration.waiting;
  if (!registration.active && starting) {
    await new Promise((done) => {
      starting.addEventListener("statechange", () => starting.state === "activated" && done());
    });
  }
  return registration;
};

const subscribe = async (manager) => {
  const options = { userVisibleOnly: true, applicationServerKey: bytes(page.dataset.key) };
  try {
    return await manager.subscribe(options);
  } catch (error) {
    // Subscribed with a key that this installation no longer has.
    const old = await manager.getSubscription();
    if (error.name !== "InvalidStateError" || !old) throw error;
    await old.unsubscribe();
    return manager.subscribe(options);
  }
};

const start = async () => {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    return shows("unable");
  }
  const { pushManager } = await worker();
  document.getElementById("on").addEventListener("click", async () => {
    try {
      const { endpoint, keys } = (await subscribe(pushManager)).toJSON();
      await tell("POST", { endpoint, keys });
      shows("off", "is-on");
    } catch (error) {
      shows("on", Notification.permission === "denied" ? "refused" : "failed");
    }
  });
  document.getElementById("off").addEventListener("click", async () => {
    try {
      const subscription = await pushManager.getSubscription();
      if (subscription) {
        await tell("DELETE", { endpoint: subscription.endpoint });
        await subscription.unsubscribe();
      }
      shows("on");
    } catch (error) {
      shows("off", "failed");
    }
  });
  return (await pushManager.getSubscription()) ? shows("off", "is-on") : shows("on");
};

start().catch(() => shows("unable"));
