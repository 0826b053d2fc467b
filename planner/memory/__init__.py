"""Memory of a bound plan: the lifetimes of values and their offsets in the arena."""

from planner.memory.budget import Memory as Memory
from planner.memory.budget import plan_arena as plan_arena
from planner.memory.budget import plan_memory as plan_memory
from planner.memory.layout import Arena as Arena
from planner.memory.layout import Block as Block
from planner.memory.layout import arrange as arrange
from planner.memory.lifetimes import timeline as timeline
from planner.memory.requests import Key as Key
from planner.memory.requests import Request as Request
from planner.memory.requests import Role as Role
from planner.memory.requests import Timeline as Timeline
