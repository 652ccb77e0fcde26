"""Libraries bound to the canonical form, each as a plain module that is itself a target."""
