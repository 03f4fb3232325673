"""Payment gateways: one adapter per gateway behind one protocol, and the built-in sandbox gateway's server."""
