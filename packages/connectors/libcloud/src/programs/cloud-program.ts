/** The part of the side-car that does what the engine asks of a cloud. It keeps nothing that another process of it could not find. */
export const cloudProgram = String.raw`
MOST_USER_DATA = 16384
# What libcloud does not name is on its way.
STATES = {
    "running": "running", "rebooting": "running", "normal": "running", "terminated": "terminated", "stopping": "stopping",
    "stopped": "stopped", "suspended": "stopped", "paused": "stopped", "error": "error",
}


class Cloud:
    def __init__(self, config, secrets):
        self.config = config
        self.driver = Driver(config, secrets)
        self.marks = self.driver.marks(config["root"])
        self.choice = Choice(self.driver, config)
        self.options = as_things(config["options"])
        self.at_once = config["atOnce"]
        self.turns, self.turning = {}, threading.Lock()
        if not config["bootsBySsh"] and self.driver.user_data("") is None:
            hint = "Set ssh, so that machines are begun by SSH; or use another connector for this cloud."
            raise Failure("invalid", f"the driver {config['driver']} hands no user data to machines", hint=hint)

    def greeting(self):
        most = 4 * MOST_USER_DATA if self.config["bootsBySsh"] else MOST_USER_DATA
        return {
            "protocol": 1, "name": "libcloud", "version": self.driver.version,
            "capabilities": {
                "userDataBytes": most, "maxBatch": 10, "idempotency": "tag",
                "listConsistencyMs": self.config["listConsistencySeconds"] * 1000, "reach": "direct",
            },
        }  # fmt: skip

    def nodes(self, call):
        """All machines of the account that are ours, with what is known of them."""
        call.check()
        found = self.ask(lambda: self.driver.here().list_nodes())
        call.check()
        ours = ((node, self.marks.read(node)) for node in found)
        return [(node, tags) for node, tags in ours if tags is not None]

    def ask(self, work):
        try:
            return work()
        except Exception as error:
            if explained(error, "").body["code"] == "auth":
                self.driver.forget()
            raise

    def launch(self, params, call):
        with self.turn(params["token"]):
            owner = {"engine": params["owner"]["engine"], "token": params["token"]}
            there = {}
            for node, tags in sorted(self.nodes(call), key=lambda each: age(*each)):
                if is_of(tags, owner) and state_of(node) not in ("terminated", "stopping"):
                    there.setdefault(tags["index"], (node, tags))
            chosen = None
            made, failure = [], None
            for machine in params["machines"]:
                found = there.get(machine["index"])
                try:
                    if found is None:
                        call.check()
                        chosen = chosen or self.choice.options(params)
                        found = self.make(params, machine, chosen)
                    made.append(self.machine(*found))
                except Exception as error:
                    failure = error
                    break
            if failure is not None and (not made or call.cancelled.is_set()):
                raise failure
            if failure is not None:
                call.warn(str(explained(failure, f"launch more than {len(made)} of {len(params['machines'])} machines")))
            return {"machines": made}

    def make(self, params, machine, chosen):
        owner = params["owner"]
        tags = {
            "engine": owner["engine"], "run": owner["run"], "node": owner["node"], "token": params["token"], "index": machine["index"],
            "name": machine["name"], "login": params.get("login"), "created": now(), "expires": params["expiresAt"],
        }  # fmt: skip
        name, marked = self.marks.mark(tags)
        begun = {} if self.config["bootsBySsh"] else self.driver.user_data(base64.b64decode(machine["userData"]).decode("utf-8", "surrogateescape"))
        wanted = {"name": name, **chosen, **self.driver.key(self.config.get("publicKey"))}
        for options in (self.options, begun, marked):
            for key, value in options.items():
                wanted[key] = {**wanted[key], **value} if isinstance(value, dict) and isinstance(wanted.get(key), dict) else value
        return self.ask(lambda: self.driver.here().create_node(**wanted)), tags

    def turn(self, token):
        """One launch of a token at a time: of one that was given up, something may still be on its way."""
        with self.turning:
            if len(self.turns) > 1000:
                self.turns = {key: lock for key, lock in self.turns.items() if lock.locked()}
            return self.turns.setdefault(token, threading.Lock())

    def describe(self, params, call):
        wanted = set(params["ids"])
        return {"machines": [self.machine(node, tags) for node, tags in self.nodes(call) if str(node.id) in wanted]}

    def list(self, params, call):
        for node, tags in self.nodes(call):
            if not is_of(tags, params) or state_of(node) == "terminated":
                continue
            owner = {"engine": params["engine"], "run": tags["run"]}
            if tags["node"] is not None:
                owner["node"] = tags["node"]
            item = {"kind": "machine", "id": str(node.id), "name": tags["name"] or node.name, "owner": owner, "machine": self.machine(node, tags)}
            if tags["expires"] is not None:
                item["expiresAt"] = tags["expires"]
            if tags["token"] is not None and not tags["token"].startswith("~"):
                item["token"] = tags["token"]
            call.item(item)
        return {}

    def terminate(self, params, call):
        there = {str(node.id): node for node, _ in self.nodes(call) if state_of(node) != "terminated"}
        for number in params["ids"]:
            node = there.get(number)
            if node is None or state_of(node) == "stopping":
                continue
            call.check()
            try:
                if self.ask(lambda: self.driver.destroy(node)) is False:
                    raise Failure("unavailable", f"the cloud does not agree to end {number}")
                self.marks.forget(node)
            except Exception as error:
                if explained(error, "").body["code"] != "notFound":
                    raise
        return {"results": [{"id": number, "gone": number not in there} for number in params["ids"]]}

    def probe(self, params, call):
        self.nodes(call)
        where = self.config.get("location") or self.config["arguments"].get("region") or "the default region"
        return {"account": self.driver.title, "regions": [str(where)]}

    def machine(self, node, tags):
        machine = {
            "id": str(node.id), "index": tags["index"], "name": tags["name"] or node.name, "state": state_of(node),
            "publicIps": addresses(node.public_ips), "privateIps": addresses(node.private_ips), "createdAt": created(node, tags),
        }  # fmt: skip
        if tags["login"] is not None:
            machine["login"] = tags["login"]
        if machine["state"] == "error":
            fault = node.extra.get("fault") if isinstance(node.extra, dict) else None
            machine["fault"] = str(fault.get("message") if isinstance(fault, dict) else fault or "its cloud does not say why")[:LONGEST]
        return machine


def state_of(node):
    # Some say only there that a machine is on its way out.
    if isinstance(node.extra, dict) and (node.extra.get("task_state") == "deleting" or node.extra.get("status") == "shutting-down"):
        return "stopping"
    return STATES.get(str(getattr(node.state, "value", node.state)), "pending")


def created(node, tags):
    at = node.created_at
    if isinstance(at, datetime):
        return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).isoformat()
    return tags["created"] or now()


def age(node, tags):
    return created(node, tags), str(node.id)


def addresses(found):
    return [str(address) for address in found or [] if address]
`;
