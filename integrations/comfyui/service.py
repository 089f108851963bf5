"""A running hiresfix service, by the standard library alone."""

import http.client
import json
import os
import time
import urllib.error
import urllib.request
import uuid

DEFAULT_URL = os.environ.get("HIRESFIX_URL") or "http://127.0.0.1:8001"

_ANSWER_SECONDS = 60
_LIST_SECONDS = 5
_LOOK_SECONDS = 0.25
# A service that restarts goes on with its jobs; so long it is waited for.
_AWAY_SECONDS = 60
# What a proxy says meanwhile, or the service itself.
_AWAY_STATUSES = (502, 503, 504)


class ServiceError(RuntimeError):
    """What the service refuses or fails, in its own words."""


class ServiceAwayError(ServiceError):
    """Nothing answers at the service's address, or breaks off."""


class Service:
    """Jobs of a service. The key that it may want is read from HIRESFIX_API_KEY: a workflow is shared, a key is not."""

    def __init__(self, url):
        self._base = (url or DEFAULT_URL).rstrip("/")
        key = os.environ.get("HIRESFIX_API_KEY")
        self._headers = {"X-API-KEY": key} if key else {}

    def upscalers(self):
        """The names of upscalers that can be had now."""
        return self._json("models", list, "GET", "/comfy/models", timeout=_LIST_SECONDS)["models"]

    def run(self, method, files, fields, follow):
        """
        Has a list of PNG files made into as many results, which are PNG files too.
        `follow` is called with the progress, 0 to 1, several times a second; what it raises cancels the job.
        """
        job = self._submit(method, files, fields)
        try:
            state = self._end_of(job, follow)
        except BaseException:
            self._cancel(job)
            raise
        failures = [image["error"] for image in state["image_states"] if image["error"]]
        if state["status"] != "completed" or failures:
            raise ServiceError(f"hiresfix: {state['error'] or '; '.join(failures) or state['status']}")
        return [self._request("GET", f"/jobs/{job}/results/{index}") for index in range(len(files))]

    def _submit(self, method, files, fields):
        boundary = uuid.uuid4().hex
        parts = [_field(name, value) for name, value in {"method": method, "output_format": "png", **fields}.items()]
        parts += [_file(f"image-{index}.png", file) for index, file in enumerate(files)]
        body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
        body += b"--%s--\r\n" % boundary.encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self._json("job_id", str, "POST", "/jobs", body, headers)["job_id"]

    def _end_of(self, job, follow):
        progress, seen = 0.0, time.monotonic()
        while True:
            follow(progress)
            try:
                state = self._json("status", str, "GET", f"/jobs/{job}")
            except ServiceAwayError:
                if time.monotonic() - seen > _AWAY_SECONDS:
                    raise
            else:
                seen, progress = time.monotonic(), state["progress"]
                if state["status"] not in ("queued", "processing"):
                    follow(progress)
                    return state
            time.sleep(_LOOK_SECONDS)

    def _cancel(self, job):
        try:
            self._request("DELETE", f"/jobs/{job}")
        except ServiceError:
            pass  # it may have ended, or the service be gone

    def _json(self, key, kind, *request, **options):
        """The object that is answered, which must have something of a kind at a key: anything else may answer at an address."""
        try:
            value = json.loads(self._request(*request, **options))
        except ValueError:
            value = None
        if not isinstance(value, dict) or not isinstance(value.get(key), kind):
            raise ServiceError(f"hiresfix: expected a hiresfix service at {self._base}, got something else")
        return value

    def _request(self, method, path, body=None, headers=None, timeout=_ANSWER_SECONDS):
        headers = {**self._headers, **(headers or {})}
        try:
            request = urllib.request.Request(self._base + path, data=body, headers=headers, method=method)
            with _OPENER.open(request, timeout=timeout) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            kind = ServiceAwayError if error.code in _AWAY_STATUSES else ServiceError
            raise kind(f"hiresfix: {_detail(error)}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServiceAwayError(f"hiresfix: no service answers at {self._base} ({error})") from error


class _AnswerWhileSending:
    """A service refuses an upload that is too large before it has all of it, and takes no more: what it says is then read."""

    def send(self, data):
        try:
            super().send(data)
        except (BrokenPipeError, ConnectionResetError):
            if self.sock is None:
                raise


class _HttpConnection(_AnswerWhileSending, http.client.HTTPConnection):
    pass


class _HttpsConnection(_AnswerWhileSending, http.client.HTTPSConnection):
    pass


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, request):
        return self.do_open(_HttpConnection, request)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, request):
        return self.do_open(_HttpsConnection, request)


_OPENER = urllib.request.build_opener(_HttpHandler, _HttpsHandler)


def _field(name, value):
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


def _file(name, content):
    head = f'Content-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
    return head.encode() + content


def _detail(error):
    try:
        return json.loads(error.read())["detail"]
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return f"{error.code} {error.reason}"
