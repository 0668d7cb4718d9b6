"""Names that one of the hosts cannot take."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["argument_name_problem", "function_name_problem"]

_FUNCTION_NAME = re.compile(r"CM_[A-Z0-9_]+")
_ARGUMENT_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MAXIMUM_LENGTH: Final = 31

_VBA_WORDS: Final = frozenset(
    """
    abs access addressof alias and any append array as attribute base binary boolean by byref byte
    byval call case cbool cbyte ccur cdate cdbl cdec cdecl cint circle clng clnglng clngptr close
    compare const csng cstr currency cvar cverr date debug decimal declare defbool defbyte defcur
    defdate defdbl defdec defint deflng deflnglng deflngptr defobj defsng defstr defvar dim do
    doevents double each else elseif empty end endif enum eqv erase error event exit explicit false
    fix for friend function get global gosub goto if imp implements in input inputb int integer is
    lbound len lenb let lib like line lock long longlong longptr loop lset me mid midb mod module
    name new next not nothing null object on open option optional or output paramarray preserve
    print private property pset public put raiseevent random read redim rem reset resume return rset
    scale seek select set sgn shared single spc static step stop string sub tab text then time to
    true type typeof ubound unlock until variant wend while width with withevents write xor
    """.split()
)

_UNO_WORDS: Final = frozenset(
    """
    any attribute bound boolean byte case char const constants constrained context default double
    enum exception false fixed float get hyper in inout interface long maybeambiguous maybedefault
    maybevoid methods module native octet oneway optional out published property raises readonly
    removable sequence service set short singleton string struct switch transient true type typedef
    union unsigned void
    """.split()
)


def function_name_problem(name: str) -> str | None:
    """Return why a sheet function cannot have this name, or None."""
    if not _FUNCTION_NAME.fullmatch(name):
        return "must be CM_ and capitals, digits or underscores"
    if len(name) > _MAXIMUM_LENGTH:
        return f"must be at most {_MAXIMUM_LENGTH} characters long"
    return None


def argument_name_problem(name: str) -> str | None:
    """Return why an argument of a sheet function cannot have this name, or None."""
    if not _ARGUMENT_NAME.fullmatch(name):
        return "must be lower case letters, digits and underscores"
    if len(name) > _MAXIMUM_LENGTH:
        return f"must be at most {_MAXIMUM_LENGTH} characters long"
    if name in _VBA_WORDS:
        return "is a word of VBA"
    if name in _UNO_WORDS:
        return "is a word of UNO's interface language"
    return None
