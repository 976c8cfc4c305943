"""The interceptor that tells a walk's endings apart and has each recorded, so that no author needs to remember."""

from typing import Any

from temporalio import workflow
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)


class _Walking(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        # By its method, not its type: inside the sandbox the class is another object than the one imported here.
        walk = getattr(workflow.instance(), "walk", None)
        following = super().execute_workflow
        return await (walk(lambda: following(input)) if walk else following(input))


class Endings(Interceptor):
    """Give this to every worker and every replayer."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """The SDK asks for the class."""
        return _Walking
