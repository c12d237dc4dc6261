"""The sign-off page as a plain ASGI application: what is asked of it is checked here, what it says and does is its desk's."""

from poc.tools.signoff_page.application import Application
from poc.tools.signoff_page.desk import Answer, Choice, Desk, Enrolment, NewPasskey, Prepared, View
from poc.tools.signoff_page.link import Link
from poc.tools.signoff_page.onetime import OneTime

__all__ = ["Answer", "Application", "Choice", "Desk", "Enrolment", "Link", "NewPasskey", "OneTime", "Prepared", "View"]
