"""Units for the service manager, shipped as they are; `auditor systemd` prints them."""
