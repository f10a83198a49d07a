"""The reader app, and the shell that both web apps share."""
