/** The part of the side-car that chooses size, image and location. */
export const choiceProgram = String.raw`
FRESH_SECONDS = 600


class Choice:
    """What the cloud has is remembered for a while."""

    def __init__(self, driver, config):
        self.driver, self.config = driver, config
        self.known, self.lock = {}, threading.Lock()

    def remembered(self, what, look):
        with self.lock:
            until, value = self.known.get(what, (0, None))
            if until > time.monotonic():
                return value
        value = look()
        with self.lock:
            self.known[what] = (time.monotonic() + FRESH_SECONDS, value)
        return value

    def options(self, params):
        location = self.location()
        chosen = {"location": location, "size": self.size(params, location), "image": self.image(params["image"])}
        return {name: value for name, value in chosen.items() if value is not None and self.driver.has(name)}

    def location(self):
        wanted = self.config.get("location")
        if wanted is None and not self.driver.needs("location"):
            return None
        found = self.remembered("locations", lambda: self.driver.here().list_locations())
        if wanted is None and len(found) == 1:
            return found[0]
        for location in found:
            if wanted in (str(location.id), location.name):
                return location
        what = "there is more than one location" if wanted is None else f"there is no location {wanted}"
        raise Failure("invalid", what, hint=f"Set location to one of: {names(found)}.")

    def size(self, params, location):
        if not self.driver.has("size"):
            return None
        at = {"location": location} if location is not None else {}
        found = self.remembered("sizes", lambda: self.driver.here().list_sizes(**at))
        wanted = self.config.get("sizes")
        if wanted is not None:
            offered = [size for name in wanted for size in found if name in (str(size.id), size.name)]
        else:
            offered = sorted(found, key=lambda size: (number(size.ram), cpus_of(size) or 0, number(size.disk), number(size.price), str(size.id)))
        cpus, memory, disk = params.get("cpus") or 0, params.get("memoryMiB") or 0, params.get("diskGiB") or 0
        for size in offered:
            # What a driver does not say is taken to be enough; a disk of 0 is as large as is asked for.
            if number(size.ram) >= memory and (cpus_of(size) or cpus) >= cpus and (number(size.disk) or disk) >= disk:
                return size
        what = f"no size has {cpus} CPUs, {memory} MiB of memory and a disk of {disk} GiB"
        raise Failure("invalid", what, hint=f"There are: {names(offered)}." if offered else "None of sizes is there.")

    def image(self, wanted):
        wanted = wanted or self.config.get("image")
        if not self.driver.has("image"):
            return None
        if not wanted:
            raise Failure("invalid", "the module names no image for this cloud", hint="Set image in the configuration of the cloud.")
        return self.remembered(("image", wanted), lambda: self.find_image(wanted))

    def find_image(self, wanted):
        try:
            return self.driver.here().get_image(wanted)
        except NotImplementedError:
            pass
        except Exception as error:
            # It may be a name, or the driver asks in a way that the cloud does not like.
            if explained(error, "").body["code"] in ("auth", "forbidden", "throttled", "unavailable", "timeout"):
                raise
        found = [image for image in self.driver.here().list_images() if wanted in (str(image.id), image.name)]
        if not found:
            raise Failure("notFound", f"there is no image {wanted}", hint="Name it by its id, or by its name as the cloud shows it.")
        return max(found, key=lambda image: str(image.extra.get("created") or ""))


def number(value):
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0


def cpus_of(size):
    extra = size.extra if isinstance(size.extra, dict) else {}
    for value in (getattr(size, "vcpus", None), *(extra.get(name) for name in ("vcpus", "cpus", "cpu", "vcpu", "cores", "guestCpus"))):
        if number(value) > 0:
            return number(value)
    return None


def names(things):
    text = ", ".join(str(thing.name or thing.id) for thing in things[:20])
    return text + (" and more" if len(things) > 20 else "")
`;
