"""Downloads over real connections from the real server."""
