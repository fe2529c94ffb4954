"""The managers' pages of channels."""

from integrations.channels.admin.links import ChannelLinkAdmin
from integrations.channels.admin.locations import ChannelLocationAdmin
from integrations.channels.admin.messages import ChannelMessageAdmin

__all__ = ["ChannelLinkAdmin", "ChannelLocationAdmin", "ChannelMessageAdmin"]
