<?php

namespace OPNsense\Firewall\DynamicAliases;

/** The table that YORI fills with addresses of LLM hosts, for rules of your own. */
class YoriAliases
{
    public function collect()
    {
        return [
            'yori_llm' => [
                'enabled' => '1',
                'counters' => '1',
                'name' => 'yori_llm',
                'type' => 'external',
                'description' => 'YORI: LLM hosts',
                'content' => '',
            ],
        ];
    }
}
