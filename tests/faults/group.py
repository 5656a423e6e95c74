"""What the broker does by itself ten seconds after a consumer died, done at once: its place is given up."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest


async def expel(bootstrap: str, group: str) -> None:
    """Take every member out of a consumer group whose only process is dead."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        coordinator = await admin.find_coordinator(group)
        for described in await admin.describe_consumer_groups([group], coordinator):
            for members in (one[5] for one in described.groups):
                for member_id in (member[0] for member in members):
                    await admin._send_request(LeaveGroupRequest(group, member_id), coordinator)
    finally:
        await admin.close()
