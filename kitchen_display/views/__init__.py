"""Pages, partials and actions of screens. Plain Django views; a screen proves itself by its cookie."""
