"""What goes wrong in a world: instances stand still, are asked to end or are killed; an operator pauses the input."""

from __future__ import annotations

from typing import Any

from function.deadline import Deadline
from function.delivery.switch import write_switch
from function.storage.client import Storage
from tests.delivery.exploration.instance import Instance
from tests.delivery.exploration.queue import INPUT

TROUBLE_S, TROUBLE_EVERY_S = 400.0, 40.0  # so long things go wrong, and as often on average
PLATFORM_GIVES_S = 10.0  # between SIGTERM and SIGKILL
DEAREST_USD = 0.05  # of a picture
DIRECT_S = 30.0


class Trouble:
    """Makes it in a `World`."""

    def __init__(self, world: Any):
        self._world = world

    def make(self) -> None:
        while self._world.scheduler.now < self._world.trouble_s:
            self._world.scheduler.wait(self._world.random.expovariate(1 / self._world.trouble_every_s))
            instance = self._world.random.choice(self._world.instances)
            action = self._world.random.choice((self._freeze, self._freeze, self._kill, self._terminate))
            self._world.say(f"{instance.name}: {action.__name__}")
            action(instance)
        self._world.storage.wire.fault_share, self._world.storage.wire.longest_s = 0.0, 0.1

    def _freeze(self, instance: Instance) -> None:
        instance.frozen_until = (
            self._world.scheduler.now + self._world.random.choice((5.0, 70.0, 150.0)) * self._world.random.random()
        )
        self._world.somebody_froze = True

    def _kill(self, instance: Instance) -> None:
        """kill -9; what it had sent may still arrive. Another one takes its place, perhaps on the same machine."""
        if instance in self._world.instances:
            self._world.instances.remove(instance)
            machine = instance.machine if self._world.random.random() < 0.3 else None
            self._world.instances.append(self._world.new_instance(machine))
        if instance.is_dead:
            return
        for kind, usd in instance.set_aside(self._world.storage.objects).items():
            self._world.books.money[kind].held_back += usd
        self._world.live_runs = {
            run: process for run, process in self._world.live_runs.items() if process is not instance
        }
        for actor in self._world.scheduler.kill(instance):
            if actor.in_flight is not None and self._world.random.random() < 0.5:
                self._world.storage.arrive_late(actor.in_flight)

    def _terminate(self, instance: Instance) -> None:
        """SIGTERM, and SIGKILL some seconds later; nothing is sent to it any more."""
        self._world.instances.remove(instance)
        self._world.instances.append(self._world.new_instance())
        for money in self._world.books.money.values():
            money.held_back += instance.deliveries * DEAREST_USD  # what is under way counts as spent
        self._world.scheduler.spawn(f"{instance.name} SIGTERM", instance, instance.service._hand_over)
        self._world.spawn("platform", lambda: self._kill(instance), PLATFORM_GIVES_S)

    def pause_and_resume(self) -> None:
        storage = Storage(None, make_client=lambda project: self._world.storage.client())
        self._world.scheduler.wait(self._world.random.uniform(0.0, 60.0))
        write_switch(storage, INPUT, paused=True, deadline=Deadline(DIRECT_S))
        self._world.paused_at = self._world.scheduler.now
        self._world.say("paused")
        self._world.scheduler.wait(self._world.random.uniform(0.0, 300.0))
        self._world.paused_at = None
        write_switch(storage, INPUT, paused=False, deadline=Deadline(DIRECT_S))
        self._world.say("resumed")
