"""The post, claim by claim: its displays read from their LaTeX, every step judged in every frame, errata repaired."""
