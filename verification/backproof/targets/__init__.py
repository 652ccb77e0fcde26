"""Targets: the implementations under test, loaded and called in a process of their own.

In order of understanding: `calls` (what is asked and answered), `layouts` and `forms` (how arrays and options are
handed over), `roles`, `declarations` and `binding` (what a target supports), `process` (`Target`, the parent's side,
on `child`, `arena` and `messages`); and, in the child only, `loading`, `reading`, `calling`, `session` and `worker`.
The parent never imports a target.
"""
