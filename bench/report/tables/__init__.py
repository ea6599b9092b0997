"""Tables as data: one function per table, from a block to a :class:`Table`."""
