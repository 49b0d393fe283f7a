/** The part of the side-car that speaks docs/connector-protocol.md: lines in, lines out, several calls at a time. */
export const protocolProgram = String.raw`
class Call:
    """One request, from its line to its answer."""

    def __init__(self, number):
        self.number = number
        self.cancelled = threading.Event()

    def check(self):
        if self.cancelled.is_set():
            raise Failure("timeout", "the call was cancelled")

    def item(self, item):
        say({"id": self.number, "item": item})

    def warn(self, message):
        say({"id": self.number, "log": {"level": "warn", "message": message}})


speaking = threading.Lock()


def say(message):
    with speaking:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def answer(call, doing, method, params, calls):
    try:
        say({"id": call.number, "result": method(params, call)})
    except Exception as error:
        say({"id": call.number, "error": explained(error, doing).body})
    finally:
        calls.pop(call.number, None)


DOING = {
    "launch": "launch machines", "describe": "look machines up", "list": "list machines", "terminate": "end machines",
    "probe": "ask the cloud whether the credential is good",
}


def unknown(_params, _call):
    raise Failure("unsupported", "this connector does not know that method")


def main():
    calls, made = {}, {}
    workers = None

    def hello(params, _call):
        made["cloud"] = Cloud(params["config"], params["secrets"])
        return made["cloud"].greeting()

    for line in sys.stdin:
        request = json.loads(line)
        params = request.get("params", {})
        if request["method"] == "cancel":
            call = calls.get(params["id"])
            if call is not None:
                call.cancelled.set()
            continue
        call = calls[request["id"]] = Call(request["id"])
        if request["method"] == "hello":
            answer(call, "begin", hello, params, calls)
            continue
        cloud = made.get("cloud")
        workers = workers or ThreadPoolExecutor(max_workers=cloud.at_once if cloud else 1)
        method = getattr(cloud, request["method"]) if cloud and request["method"] in DOING else unknown
        workers.submit(answer, call, DOING.get(request["method"], "answer"), method, params, calls)
    # Nobody listens any more. The machines stay: another process finds them.
    os._exit(0)


main()
`;
