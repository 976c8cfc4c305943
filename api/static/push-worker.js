// Shows what we send to this browser, and opens its address when it is pressed.
"use strict";

self.addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : {};
  const { title = "", body = "", tag, url } = said;
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: { url } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data || {};
  if (url) event.waitUntil(self.clients.openWindow(url));
});
