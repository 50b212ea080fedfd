"""PURE. Components that most people use: those whose Go modules are asked for when a catalog is built."""

from typing import Final

from configs.catalog.building.places import CONTRIB, CORE

_CORE: Final = """
connector/forwardconnector exporter/debugexporter exporter/nopexporter exporter/otlpexporter exporter/otlphttpexporter
extension/memorylimiterextension extension/zpagesextension processor/batchprocessor processor/memorylimiterprocessor
receiver/nopreceiver receiver/otlpreceiver
"""
_CONTRIB: Final = """
connector/countconnector connector/routingconnector connector/signaltometricsconnector connector/spanmetricsconnector
connector/servicegraphconnector exporter/clickhouseexporter exporter/fileexporter exporter/kafkaexporter
exporter/loadbalancingexporter exporter/prometheusexporter exporter/prometheusremotewriteexporter
exporter/syslogexporter exporter/zipkinexporter extension/basicauthextension extension/bearertokenauthextension
extension/healthcheckextension extension/healthcheckv2extension extension/oauth2clientauthextension
extension/oidcauthextension extension/opampextension extension/pprofextension extension/sigv4authextension
extension/storage/filestorage processor/attributesprocessor processor/cumulativetodeltaprocessor
processor/deltatocumulativeprocessor processor/filterprocessor processor/groupbyattrsprocessor
processor/groupbytraceprocessor processor/k8sattributesprocessor processor/metricstransformprocessor
processor/probabilisticsamplerprocessor processor/redactionprocessor processor/resourcedetectionprocessor
processor/resourceprocessor processor/spanprocessor processor/tailsamplingprocessor processor/transformprocessor
receiver/filelogreceiver receiver/fluentforwardreceiver receiver/hostmetricsreceiver receiver/jaegerreceiver
receiver/journaldreceiver receiver/k8sclusterreceiver receiver/kafkareceiver receiver/kubeletstatsreceiver
receiver/prometheusreceiver receiver/syslogreceiver receiver/tcplogreceiver receiver/udplogreceiver
receiver/zipkinreceiver
"""
COMMON: Final = frozenset(
    f"{root}/{folder}"
    for root, folders in ((CORE, _CORE), (CONTRIB, _CONTRIB))
    for folder in folders.split()
)
