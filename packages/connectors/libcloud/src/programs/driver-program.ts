/** The part of the side-car that finds out what a driver can do: its class, what it takes, how it passes user data and keeps marks. */
export const driverProgram = String.raw`
REQUEST_SECONDS = 30
USER_DATA = ("ex_userdata", "ex_user_data", "ex_customdata", "ex_custom_data", "cloud_init")
# Those that take user data among attributes of their own.
USER_DATA_IN_ATTRIBUTES = {"cloudscale": "user_data", "gig_g8": "userdata"}
# What was made for a machine goes with it only when it is said, in these drivers.
WITH_MACHINE = {"destroy_boot_disk": True, "ex_expunge": True}


class Thing(dict):
    """What the user wrote, for drivers that ask for a dictionary as for those that ask for an object with its fields."""

    __getattr__ = dict.get


def as_things(value):
    return json.loads(json.dumps(value), object_hook=Thing)


def load_libcloud():
    try:
        import libcloud
        from libcloud.common.base import Connection
    except ImportError as error:
        remedy = "Install it into an environment of its own: python3 -m venv DIRECTORY && DIRECTORY/bin/pip install apache-libcloud==@VERSION@; "
        raise Failure(
            "unsupported", f"the Python at {sys.executable} has no Apache Libcloud: {error}", hint=remedy + "then set python: DIRECTORY/bin/python."
        ) from None
    # Whoever does not answer keeps no call for ever.
    Connection.timeout = REQUEST_SECONDS
    socket.setdefaulttimeout(REQUEST_SECONDS)
    return libcloud.__version__


def find_class(name, folder):
    if folder is not None:
        sys.path.insert(0, folder)
    try:
        if "." in name:
            module, _, cls = name.rpartition(".")
            return getattr(importlib.import_module(module), cls)
        from libcloud.compute.providers import get_driver

        return get_driver(name)
    except Exception as error:
        hint = "Write it as Libcloud does, such as openstack, or as package.module.Class."
        raise Failure("invalid", f"there is no driver {name}: {error}", hint=hint) from None


class Driver:
    """A driver of libcloud. Its objects are for one thread each."""

    def __init__(self, config, secrets):
        self.version = load_libcloud()
        self.name = config["driver"]
        self.given = find_class(self.name, config.get("modules"))
        self.arguments = {**as_things(config["arguments"]), **secrets}
        self.each = threading.local()
        try:
            # Some classes are chosen by their arguments. Nothing of the cloud is asked yet.
            made = self.given.__new__(self.given, **self.arguments)
        except TypeError as error:
            raise Failure("invalid", f"the driver {self.name} does not take these arguments: {error}") from None
        self.cls = type(made)
        self.takes = inspect.signature(self.cls.create_node).parameters
        self.takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in self.takes.values())
        self.families = [base.__module__.rpartition(".")[2] for base in self.cls.__mro__]

    @property
    def title(self):
        return str(getattr(self.cls, "name", None) or self.name)

    def here(self):
        """The object of this thread."""
        made = getattr(self.each, "driver", None)
        if made is None:
            try:
                made = self.each.driver = self.given(**self.arguments)
            except (TypeError, KeyError, ValueError) as error:
                raise Failure("invalid", f"the driver {self.name} does not take these arguments: {error}") from None
        return made

    def forget(self):
        """Its token is not good any more: the next call logs in again."""
        self.each.driver = None

    def needs(self, parameter):
        known = self.takes.get(parameter)
        return known is not None and known.default is inspect.Parameter.empty

    def has(self, parameter):
        return parameter in self.takes or self.takes_any

    def user_data(self, text):
        """How create_node takes it; None when it does not."""
        for parameter in USER_DATA:
            if parameter in self.takes:
                return {parameter: text}
        for family, attribute in USER_DATA_IN_ATTRIBUTES.items():
            if family in self.families:
                return {"ex_create_attr": {attribute: text}}
        return None

    def key(self, public_key):
        from libcloud.compute.base import NodeAuthSSHKey

        features = getattr(self.cls, "features", {}).get("create_node", [])
        return {"auth": NodeAuthSSHKey(public_key)} if public_key is not None and "ssh_key" in features else {}

    def marks(self, root):
        for family in self.families:
            parameter, shown = METADATA_OF.get(family, (None, None))
            if parameter in self.takes:
                return InMetadata(parameter, shown)
        return InName(root)

    def destroy(self, node):
        takes = inspect.signature(self.cls.destroy_node).parameters
        return self.here().destroy_node(node, **{name: value for name, value in WITH_MACHINE.items() if name in takes})
`;
