"""What both web apps share: sessions, languages, security headers, error pages."""
