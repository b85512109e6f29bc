"""The few calls of PKCS#11 that signing and the making of keys need, made straight to a token's module.

Source: OASIS PKCS #11 Cryptographic Token Interface Base Specification 2.40, for systems where a CK_ULONG is a C long
and structures are not packed (every Unix). The module is told to lock for itself (CKF_OS_LOCKING_OK), because calls are
made without the interpreter's lock.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, Structure, byref, c_char, c_ubyte, c_ulong, c_void_p

ALREADY_INITIALIZED = 0x191
ALREADY_LOGGED_IN = 0x100
PIN_FAULTS = frozenset({0xA0, 0xA1, 0xA2, 0xA3, 0xA4})
"""CKR_PIN_INCORRECT, _INVALID, _LEN_RANGE, _EXPIRED, _LOCKED."""

RSA_PKCS = 0x1
ECDSA = 0x1041
"""Mechanisms that take a DigestInfo, or a digest: what is signed is hashed before it travels."""

PUBLIC_KEY, PRIVATE_KEY = 2, 3
"""Classes of objects."""

LABEL = 0x3
"""The attribute that names an object."""

Value = bool | int | bytes

_OS_LOCKING_OK = 0x2
_SERIAL_SESSION, _WRITING = 0x4, 0x2
_USER = 1
_CLASS = 0x0
_LONGEST_SIGNATURE = _LONGEST_ATTRIBUTE = 1024


class CryptokiError(Exception):
    """A call that did not return CKR_OK; `code` is the CKR value."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call} returned {code:#x}")
        self.code = code


class _InitializeArguments(Structure):
    _fields_ = (("mutexes", c_void_p * 4), ("flags", c_ulong), ("reserved", c_void_p))


class _Version(Structure):
    _fields_ = (("major", c_ubyte), ("minor", c_ubyte))


class _FunctionList(Structure):
    _fields_ = (("version", _Version), ("functions", c_void_p * 68))


class _TokenInfo(Structure):
    _fields_ = (
        ("label", c_char * 32),
        ("names", c_char * 64),
        ("flags", c_ulong),
        ("limits", c_ulong * 10),
        ("versions", _Version * 2),
        ("time", c_char * 16),
    )


class _Attribute(Structure):
    _fields_ = (("type", c_ulong), ("value", c_void_p), ("length", c_ulong))


class _Mechanism(Structure):
    _fields_ = (("mechanism", c_ulong), ("parameter", c_void_p), ("length", c_ulong))


# Place in CK_FUNCTION_LIST and what the function takes; all return a CK_RV.
_CALLS: dict[str, tuple[int, tuple[type, ...]]] = {
    "C_Initialize": (0, (c_void_p,)),
    "C_GetSlotList": (4, (c_ubyte, c_void_p, POINTER(c_ulong))),
    "C_GetTokenInfo": (6, (c_ulong, c_void_p)),
    "C_OpenSession": (12, (c_ulong, c_ulong, c_void_p, c_void_p, POINTER(c_ulong))),
    "C_CloseSession": (13, (c_ulong,)),
    "C_Login": (18, (c_ulong, c_ulong, ctypes.c_char_p, c_ulong)),
    "C_GetAttributeValue": (24, (c_ulong, c_ulong, c_void_p, c_ulong)),
    "C_FindObjectsInit": (26, (c_ulong, c_void_p, c_ulong)),
    "C_FindObjects": (27, (c_ulong, c_void_p, c_ulong, POINTER(c_ulong))),
    "C_FindObjectsFinal": (28, (c_ulong,)),
    "C_SignInit": (42, (c_ulong, c_void_p, c_ulong)),
    "C_Sign": (43, (c_ulong, ctypes.c_char_p, c_ulong, c_void_p, POINTER(c_ulong))),
    "C_GenerateKeyPair": (
        59,
        (c_ulong, c_void_p, c_void_p, c_ulong, c_void_p, c_ulong, POINTER(c_ulong), POINTER(c_ulong)),
    ),
}


def _template(attributes: Mapping[int, Value]) -> tuple[ctypes.Array[_Attribute], list[ctypes.Array[c_char]]]:
    """Attributes as a call takes them, and what they point to, which must outlive the call."""
    made, values = (_Attribute * len(attributes))(), []
    for place, (kind, value) in enumerate(attributes.items()):
        match value:
            case bool():
                octets = bytes([value])
            case int():
                octets = bytes(c_ulong(value))
            case _:
                octets = value
        held = ctypes.create_string_buffer(octets, len(octets))
        values.append(held)
        made[place] = _Attribute(kind, ctypes.addressof(held), len(octets))
    return made, values


class Module:
    """A loaded PKCS#11 module, initialised for this process. Every method raises CryptokiError."""

    def __init__(self, path: str) -> None:
        """Raises OSError or AttributeError when the file is no such module."""
        found = POINTER(_FunctionList)()
        code = ctypes.CDLL(path).C_GetFunctionList(byref(found))
        if code:
            raise CryptokiError("C_GetFunctionList", code)
        functions = found.contents.functions
        self._calls = {
            name: ctypes.CFUNCTYPE(c_ulong, *takes)(functions[place]) for name, (place, takes) in _CALLS.items()
        }
        try:
            self._call("C_Initialize", byref(_InitializeArguments(flags=_OS_LOCKING_OK)))
        except CryptokiError as error:
            if error.code != ALREADY_INITIALIZED:
                raise

    def _call(self, name: str, *arguments: object) -> None:
        code = self._calls[name](*arguments)
        if code:
            raise CryptokiError(name, code)

    def slots_with(self, label: str) -> list[int]:
        """The slots that hold a token of this label."""
        count = c_ulong()
        self._call("C_GetSlotList", 1, None, byref(count))
        slots = (c_ulong * count.value)()
        self._call("C_GetSlotList", 1, slots, byref(count))
        info = _TokenInfo()
        matching = []
        for slot in slots[: count.value]:
            self._call("C_GetTokenInfo", slot, byref(info))
            if info.label.decode(errors="replace").rstrip(" ") == label:
                matching.append(slot)
        return matching

    def open_session(self, slot: int, *, writing: bool = False) -> int:
        session, flags = c_ulong(), _SERIAL_SESSION | (_WRITING if writing else 0)
        self._call("C_OpenSession", slot, flags, None, None, byref(session))
        return session.value

    def close_session(self, session: int) -> None:
        self._call("C_CloseSession", session)

    def log_in(self, session: int, pin: bytes) -> None:
        """Log the user in; a login is the whole process's, so one that is there already is as good."""
        try:
            self._call("C_Login", session, _USER, pin, len(pin))
        except CryptokiError as error:
            if error.code != ALREADY_LOGGED_IN:
                raise

    def keys(self, session: int, kind: int, label: str) -> list[int]:
        """Handles of the keys of this class and label; two at most."""
        wanted, _held = _template({_CLASS: kind, LABEL: label.encode()})
        handles, count = (c_ulong * 2)(), c_ulong()
        self._call("C_FindObjectsInit", session, wanted, len(wanted))
        self._call("C_FindObjects", session, handles, len(handles), byref(count))
        self._call("C_FindObjectsFinal", session)
        return handles[: count.value]

    def attribute(self, session: int, key: int, kind: int) -> bytes:
        """The octets of one attribute of an object."""
        octets = (c_ubyte * _LONGEST_ATTRIBUTE)()
        wanted = _Attribute(kind, ctypes.addressof(octets), _LONGEST_ATTRIBUTE)
        self._call("C_GetAttributeValue", session, key, byref(wanted), 1)
        return bytes(octets[: wanted.length])

    def make_pair(
        self, session: int, mechanism: int, public: Mapping[int, Value], private: Mapping[int, Value]
    ) -> None:
        """Make a key pair in the token, in a session that writes."""
        (ours, _held), (theirs, _held_too) = _template(public), _template(private)
        handles = c_ulong(), c_ulong()
        way = _Mechanism(mechanism, None, 0)
        self._call("C_GenerateKeyPair", session, byref(way), ours, len(ours), theirs, len(theirs), *map(byref, handles))

    def sign(self, session: int, key: int, mechanism: int, message: bytes) -> bytes:
        signature, length = (c_ubyte * _LONGEST_SIGNATURE)(), c_ulong(_LONGEST_SIGNATURE)
        self._call("C_SignInit", session, byref(_Mechanism(mechanism, None, 0)), key)
        self._call("C_Sign", session, message, len(message), signature, byref(length))
        return bytes(signature[: length.value])
