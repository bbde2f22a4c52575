"""What is known of a task by the name of its resource alone: whether it only reads, whether it does its work again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.formats.asl.machine import State

_WAY = re.compile(r"\.(?:sync(?::\d)?|waitForTaskToken)$")
_READS = re.compile(
    r"(?:get|list|describe|head|query|scan|batchGet|detect|search|count|lookup|filter|validate|select)(?![a-z])\w*"
)
# what is done again each time it is asked for, unless the request carries a token that says it is the same one
_AGAIN: dict[str, tuple[str, ...]] = {
    "sns:publish": ("MessageDeduplicationId",),
    "sns:publishBatch": (),
    "sqs:sendMessage": ("MessageDeduplicationId",),
    "sqs:sendMessageBatch": (),
    "events:putEvents": (),
    "eventbridge:putEvents": (),
    "kinesis:putRecord": (),
    "states:startExecution": ("Name",),
    "sfn:startExecution": ("Name",),
    "batch:submitJob": (),
    "ecs:runTask": ("ClientToken",),
    "ec2:runInstances": ("ClientToken",),
    "glue:startJobRun": (),
    "athena:startQueryExecution": ("ClientRequestToken",),
    "elasticmapreduce:addStep": (),
    "elasticmapreduce:createCluster": (),
    "ses:sendEmail": (),
    "sesv2:sendEmail": (),
    "codebuild:startBuild": ("IdempotencyToken",),
}


def action(state: State) -> str:
    """The service and what is asked of it: `sqs:sendMessage`, `s3:getObject`; a function or activity by itself."""
    return _WAY.sub("", state.resource).removeprefix("aws-sdk:")


def reads_only(state: State) -> bool:
    """The task changes nothing, as its name says."""
    return _READS.fullmatch(action(state).rpartition(":")[2]) is not None


def done_again(state: State) -> bool:
    """A second request does its work a second time, as far as the name and the request say."""
    tokens = _AGAIN.get(action(state))
    if tokens is None:
        return False
    request = state.node.get("Arguments") or state.node.get("Parameters")
    given = set() if request is None else {key.removesuffix(".$") for key in request.members}
    return given.isdisjoint(tokens)
