"""Running and supervising: settings, wiring, commands, workers, mail and the staff app."""
