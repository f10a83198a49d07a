"""The declarative tables. Rows never leave storage/."""

from storage.models.columns import Base
from storage.models.consents import DeclarationRow, FeeRow
from storage.models.deliveries import DeliveryRow, MasterRow, TailRow, WindowNetworkRow, WindowRow
from storage.models.directory import (
    ApiTokenRow,
    IdempotencyRow,
    LibraryRow,
    OutsideIdentityRow,
    PersonRow,
    SignInRow,
    UsedTokenRow,
)
from storage.models.log import (
    UNDONE,
    CheckpointRow,
    CosignatureRow,
    DayRow,
    EventRow,
    JobRow,
    LogHeadRow,
    PlaceRow,
    TileRow,
    WitnessedRow,
)
from storage.models.privacy import ActRow, HoldRow, RoundRow
from storage.models.requests import MessageRow, ReaderLinkRow, RequestRow, TryRow, WorkRow
from storage.models.rights import (
    AgreementRow,
    JointReaderRow,
    LedgerRow,
    LockRow,
    SourceRow,
    TitleRow,
    UsageChangeRow,
    UsageRow,
)
from storage.models.second_factors import FactorRow, RecoveryCodeRow
from storage.models.watching import AlarmRow, LinkNetworkRow, TallyRow

__all__ = [
    "UNDONE",
    "ActRow",
    "AgreementRow",
    "AlarmRow",
    "ApiTokenRow",
    "Base",
    "CheckpointRow",
    "CosignatureRow",
    "DayRow",
    "DeclarationRow",
    "DeliveryRow",
    "EventRow",
    "FactorRow",
    "FeeRow",
    "HoldRow",
    "IdempotencyRow",
    "JobRow",
    "JointReaderRow",
    "LedgerRow",
    "LibraryRow",
    "LinkNetworkRow",
    "LockRow",
    "LogHeadRow",
    "MasterRow",
    "MessageRow",
    "OutsideIdentityRow",
    "PersonRow",
    "PlaceRow",
    "ReaderLinkRow",
    "RecoveryCodeRow",
    "RequestRow",
    "RoundRow",
    "SignInRow",
    "SourceRow",
    "TailRow",
    "TallyRow",
    "TileRow",
    "TitleRow",
    "TryRow",
    "UsageChangeRow",
    "UsageRow",
    "UsedTokenRow",
    "WindowNetworkRow",
    "WindowRow",
    "WitnessedRow",
    "WorkRow",
]
