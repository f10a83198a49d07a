"""What readers and librarians do: document requests, deliveries and the use cases around them."""
