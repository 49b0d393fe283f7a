"""Libcloud's Dummy driver with what it lacks to be a cloud: names, ids that are never used twice, and a memory that outlives it: a file."""

import fcntl
import json
import os
from datetime import datetime, timezone

from libcloud.compute.base import Node, NodeImage
from libcloud.compute.drivers.dummy import DummyNodeDriver
from libcloud.compute.types import NodeState


class Kept(DummyNodeDriver):
    name = "Dummy"
    features = {"create_node": ["ssh_key"]}

    def __init__(self, creds, memory):
        super().__init__(creds)
        if creds != "open sesame":
            from libcloud.common.types import InvalidCredsError

            raise InvalidCredsError("that is not the word")
        self.memory = memory

    def list_nodes(self):
        return [self.node(each) for each in self.remembered()]

    def get_image(self, image_id):
        raise NotImplementedError()

    def list_images(self, location=None):
        return [NodeImage(id=1, name="debian-12", driver=self)]

    def create_node(self, name, size, image, auth=None, ex_userdata=None):
        return self.make(name=name, size=size.name, image=image.name, key=auth and auth.pubkey, user_data=ex_userdata)

    def make(self, **made):
        with self.locked() as memory:
            if len(memory["nodes"]) >= memory.get("room", 100):
                raise Exception("409 Conflict: the quota of this project is used up")
            memory["made"] += 1
            made.update(id=f"node-{memory['made']}", created=datetime.now(timezone.utc).isoformat())
            memory["nodes"].append(made)
        return self.node(made)

    def destroy_node(self, node):
        with self.locked() as memory:
            memory["nodes"] = [each for each in memory["nodes"] if each["id"] != node.id]
        return True

    def node(self, made):
        return Node(
            id=made["id"], name=made["name"], state=NodeState.RUNNING, public_ips=["127.0.0.1"], private_ips=[], driver=self,
            created_at=datetime.fromisoformat(made["created"]), extra={},
        )  # fmt: skip

    def remembered(self):
        with self.locked() as memory:
            return memory["nodes"]

    def locked(self):
        return Memory(self.memory)


class Mute(Kept):
    """Hands no user data to machines."""

    def create_node(self, name, size, image, auth=None):
        return super().create_node(name, size, image, auth)


class Memory:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.file = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.memory = json.loads(self.file.read() or '{"made": 0, "nodes": []}')
        return self.memory

    def __exit__(self, *_):
        self.file.seek(0)
        self.file.truncate()
        json.dump(self.memory, self.file)
        self.file.close()
