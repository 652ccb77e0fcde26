"""The post as mathematics: equations in SymPy and the exact oracle generated from them."""
