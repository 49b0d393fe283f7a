/**
 * The part of the side-car that marks machines as ours in the request that makes them: in their metadata where the driver has some, else in
 * their names. Such a name holds the run, the index and the end of life as they are, and of engine and token a digest that can be looked for;
 * what does not fit is in a file beside, without which the machine is still found and ended.
 */
export const marksProgram = String.raw`
PREFIX = "paceline:"
TAGS = ("engine", "run", "node", "token", "index", "name", "login", "created", "expires")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# How drivers take metadata, and where they show it.
METADATA = (("ex_metadata", "metadata"), ("ex_metadata", "meta"), ("ex_metadata", "tags"), ("ex_tags", "tags"))
METADATA_OF = {"openstack": METADATA[0], "rackspace": METADATA[0], "cloudsigma": METADATA[1], "ec2": METADATA[2], "azure_arm": METADATA[3]}


def base36(number, width=1):
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return text.rjust(width, "0")


def short(text):
    return base36(int(hashlib.sha256(text.encode()).hexdigest(), 16) % 36**10, 10)


def is_of(tags, query):
    """Of what is known only as a digest, the digest is compared."""
    wanted = ((tags[key], query[key]) for key in ("engine", "run", "token") if query.get(key) is not None)
    return all(value == text or value == "~" + short(text) for value, text in wanted)


class InMetadata:
    def __init__(self, parameter, shown):
        self.parameter, self.shown = parameter, shown

    def mark(self, tags):
        return tags["name"], {self.parameter: {PREFIX + key: str(tags[key]) for key in TAGS if tags.get(key) is not None}}

    def read(self, node):
        metadata = node.extra.get(self.shown)
        if not isinstance(metadata, dict) or PREFIX + "engine" not in metadata or PREFIX + "run" not in metadata:
            return None
        tags = {key: metadata.get(PREFIX + key) for key in TAGS}
        tags["index"] = int(tags["index"] or 0)
        return tags

    def forget(self, node):
        pass


class InName:
    FORM = re.compile("pl-([0-9a-z]{10})-([0-9a-z]{25})-([0-9a-z]{10})-([0-9a-z]{1,6})-([0-9a-z]{1,7})")

    def __init__(self, root):
        self.folder = os.path.join(root, "machines")
        os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def mark(self, tags):
        try:
            run = base36(uuid.UUID(tags["run"]).int, 25)
        except ValueError:
            raise Failure("invalid", f"the run {tags['run']} is no UUID, and machines of this driver carry it in their names") from None
        ends = int(moment(tags["expires"]).timestamp())
        name = f"pl-{short(tags['engine'])}-{run}-{short(tags['token'])}-{base36(tags['index'])}-{base36(ends)}"
        draft = f"{self.path(name)}.{threading.get_ident()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(tags, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, self.path(name))
        return name, {}

    def read(self, node):
        found = self.FORM.fullmatch(node.name or "")
        if found is None:
            return None
        engine, run, token, index, ends = found.groups()
        tags = dict.fromkeys(TAGS)
        tags.update(engine="~" + engine, run=str(uuid.UUID(int=int(run, 36))), token="~" + token, index=int(index, 36))
        tags.update(name=node.name, expires=datetime.fromtimestamp(int(ends, 36), timezone.utc).isoformat())
        try:
            with open(self.path(node.name)) as file:
                tags.update(json.load(file))
        except (OSError, ValueError):
            pass
        return tags

    def forget(self, node):
        try:
            os.unlink(self.path(node.name))
        except FileNotFoundError:
            pass

    def path(self, name):
        return os.path.join(self.folder, name + ".json")


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def now():
    return datetime.now(timezone.utc).isoformat()
`;
