/** The part of the side-car that says what an exception of libcloud, of any of its drivers, means to the engine. */
export const failureProgram = String.raw`
import base64
import hashlib
import importlib
import inspect
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

LONGEST = 500


class Failure(Exception):
    """What the engine is told: a code that says what to do about it, and words for people."""

    def __init__(self, code, message, **details):
        super().__init__(message)
        self.body = {"code": code, "message": message, **details}


def explained(error, doing):
    if isinstance(error, Failure):
        return error
    words = " ".join(str(error).split()) or type(error).__name__
    words = words if len(words) <= LONGEST else words[:LONGEST] + "…"
    details = {}
    after = retry_after(error)
    if after is not None:
        details["retryAfterMs"] = after * 1000
    return Failure(code_of(error, words), f"Could not {doing}: {words}", **details)


def code_of(error, words):
    from libcloud.common.types import InvalidCredsError, MalformedResponseError
    from requests.exceptions import RequestException, Timeout

    status = status_of(error)
    if isinstance(error, InvalidCredsError):
        return "auth"
    if status is not None:
        return code_of_status(status, words)
    if isinstance(error, (Timeout, socket.timeout)):
        return "timeout"
    # A driver that cannot read an answer may say so in any way; of what was asked nothing is known.
    if isinstance(error, (RequestException, OSError, ssl.SSLError, MalformedResponseError, json.JSONDecodeError, SyntaxError)):
        return "unavailable"
    if isinstance(error, NotImplementedError):
        return "unsupported"
    return "internal"


def status_of(error):
    for name in ("code", "http_code"):
        status = getattr(error, name, None)
        if isinstance(status, int) and status >= 400:
            return int(status)
    # Some drivers only put it into their words.
    found = re.search(r"\bcode: (4\d\d|5\d\d)\b|^(4\d\d|5\d\d)\b", " ".join(map(str, [error, getattr(error, "body", "")])))
    return int(found.group(1) or found.group(2)) if found else None


def code_of_status(status, words):
    if re.search(r"no valid host|insufficient.{0,20}capacity|out of (host )?capacity|not enough (capacity|resources)", words, re.I):
        return "capacity"
    if status == 401 or re.search(r"^\W*(ExpiredToken|RequestExpired)\b", words):
        return "auth"
    if status in (413, 429) or re.search(r"throttl|request ?limit ?exceeded|rate exceeded", words, re.I):
        return "throttled"
    if status in (400, 402, 403, 409, 422) and re.search(r"quota|limit.{0,20}(exceeded|reached)|exceed.{0,20}limit", words, re.I):
        return "quota"
    if re.search(r"\bNotFound\b|\.NotFound", words) and status == 400:
        return "notFound"
    named = {403: "forbidden", 404: "notFound", 408: "timeout", 409: "conflict", 501: "unsupported", 504: "timeout"}
    return named.get(status, "unavailable" if status >= 500 else "invalid")


def retry_after(error):
    headers = getattr(error, "headers", None) or {}
    try:
        seconds = float(getattr(error, "retry_after", 0) or headers.get("retry-after") or 0)
    except ValueError:
        return None
    return seconds if seconds > 0 else None
`;
