"""Files of reported numbers."""

HEADER = (
    "table,method,backbone,training,dataset,split,metric,setting,relation,value,plus_minus,unit,"
    "origin,source\n"
)
"""First line of such a file."""
