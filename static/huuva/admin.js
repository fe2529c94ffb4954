// The content security policy lets no script write styles into the page, and htmx does by default.
window.htmx.config.includeIndicatorStyles = false;
