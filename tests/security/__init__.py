"""What is meant to do harm: vectors against headers, mail, logs, tables, hosts, redirects, pages, tokens and the sources themselves."""
