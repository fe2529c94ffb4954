// Everything comes from this server: no validator badge, no fonts, no other host.
const mount = document.getElementById("swagger-ui");

window.SwaggerUIBundle({
  domNode: mount,
  url: mount.dataset.url,
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
